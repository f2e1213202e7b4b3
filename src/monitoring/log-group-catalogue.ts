import { type Sql, sql } from '../logstore/sql/sql.ts';
import {
  type Stored,
  type StoredMetric,
  selectLogGroups,
  selectMetrics,
  storedLogGroup,
  storedMetric,
} from './definitions.ts';
import { formatIsoTime } from './format-iso-time.ts';
import { insertDefinition } from './insert-definition.ts';
import type { EditedLogGroup, LogGroupDefinition, LogGroupReport } from './log-group-definition.ts';
import { expandMetric, groupsOfMetric } from './metric-groups.ts';
import { MonitorError } from './monitor.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import { keepPoints } from './point-source.ts';
import { parseProgress } from './watermark.ts';

/** The log groups in the store, for the API. */
export class LogGroupCatalogue {
  readonly #database: MonitorDatabase;

  constructor(database: MonitorDatabase) {
    this.#database = database;
  }

  async list(): Promise<readonly LogGroupReport[]> {
    const { groups, metrics } = await this.#read();
    return groups.flatMap((group) => reportOf(group, metrics) ?? []);
  }

  async get(id: string): Promise<LogGroupReport> {
    const { groups, metrics } = await this.#read();
    return found(groups, metrics, id);
  }

  async create(definition: LogGroupDefinition): Promise<LogGroupReport> {
    const now = this.#database.nowUnixMicro;
    const added = { kind: 'log group', id: definition.id, definition, createdAtUnixMicro: now } as const;
    await insertDefinition(this.#database, added);
    return { ...definition, createdAt: formatIsoTime(now), usedBy: [] };
  }

  /** The metrics that use the group are computed again, as far back as they are kept up to date. */
  async update(definition: LogGroupDefinition): Promise<EditedLogGroup> {
    const { id } = definition;
    return await this.#unlessChanged(async ({ groups, metrics, isUnchanged }) => {
      const before = found(groups, metrics, id);
      const users = usersOf(id, metrics);
      const expressions = new Map([...groups.flatMap(expressionOf), [id, definition.expression] as const]);
      for (const { definition: metric } of users) expandMetric(metric, expressions);
      const isSame = before.expression === definition.expression;
      const createdAt = this.#database.laterThan(
        Math.max(...[...groups, ...users].map(({ createdAtUnixMicro }) => createdAtUnixMicro)),
      );
      const rows = await this.#database.write([
        sql`update log_groups set definition = ${JSON.stringify(definition)}::text,
          created_at = ${this.#database.time(createdAt)}
          where id = ${id}::text and ${isUnchanged} returning id`,
        ...(isSame ? [] : users.flatMap((user) => this.#restart(user, { id, createdAt }))),
      ]);
      if (rows[0]?.length !== 1) return undefined;
      return {
        ...definition,
        createdAt: formatIsoTime(createdAt),
        usedBy: before.usedBy,
        changes: isSame ? [] : users.map(({ definition: metric }) => computedAgain(metric.id)),
      };
    });
  }

  /** Rejected while a metric uses it. */
  async delete(id: string): Promise<void> {
    await this.#unlessChanged(async ({ groups, metrics, isUnchanged }) => {
      const { usedBy } = found(groups, metrics, id);
      if (usedBy.length > 0) {
        throw new MonitorError(
          'in-use',
          `Cannot delete the log group ${id}: the metric ${usedBy.join(', ')} uses it. Change the metric first.`,
        );
      }
      const [deleted = []] = await this.#database.write([
        sql`delete from log_groups where id = ${id}::text and ${isUnchanged} returning id`,
      ]);
      return deleted.length === 1 ? true : undefined;
    });
  }

  /** Begins again with the first refresh; a refresh in progress finds another `created_at` and writes nothing. */
  #restart(
    { definition, watermark }: UsingMetric,
    group: { readonly id: string; readonly createdAt: number },
  ): readonly Sql[] {
    const createdAt = this.#database.time(group.createdAt);
    const isChanged = sql`exists (select 1 from log_groups where id = ${group.id}::text and created_at = ${createdAt})`;
    const { aggregate } = parseProgress(watermark);
    return [
      ...(aggregate === undefined ? [] : [keepPoints(definition.id, aggregate, isChanged)]),
      sql`update metrics set created_at = ${createdAt}, watermark = null, refreshed_at = null
        where id = ${definition.id}::text and ${isChanged}`,
    ];
  }

  /**
   * Repeats `work` if another client has changed definitions after they were read: `work` resolves with
   * undefined then.
   */
  async #unlessChanged<T>(work: (read: ReadDefinitions) => Promise<T | undefined>): Promise<T> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const done = await work(await this.#read());
      if (done !== undefined) return done;
    }
    throw new MonitorError('in-use', 'Other clients change definitions at the same time. Try again.');
  }

  async #read(): Promise<ReadDefinitions> {
    const { dialect } = this.#database;
    const [groupRows = [], metricRows = []] = await this.#database.read([
      selectLogGroups(dialect),
      selectMetrics(dialect),
    ]);
    const groups = groupRows.map(storedLogGroup);
    const metrics = metricRows.map(storedMetric);
    const newest = dialect.unixMicro(sql`max(created_at)`);
    const isUnchanged = sql`(${unchangedSql(sql`log_groups`, newest, groups)}
      and ${unchangedSql(sql`metrics`, newest, metrics)})`;
    return { groups, metrics, isUnchanged };
  }
}

const ATTEMPTS = 5;

interface ReadDefinitions {
  readonly groups: readonly Stored<LogGroupDefinition>[];
  readonly metrics: readonly StoredMetric[];
  /** A condition on the store: no definition was created, changed or deleted since. */
  readonly isUnchanged: Sql;
}

type UsingMetric = StoredMetric & { readonly definition: NonNullable<StoredMetric['definition']> };

/** Each change of a definition gives it a later `created_at`. */
function unchangedSql(table: Sql, newest: Sql, read: readonly Stored<unknown>[]): Sql {
  const latest = Math.max(0, ...read.map(({ createdAtUnixMicro }) => createdAtUnixMicro));
  return sql`(select count(*) from ${table}) = ${read.length}::bigint
    and (select coalesce(${newest}, 0) from ${table}) = ${latest}::bigint`;
}

function usersOf(id: string, metrics: readonly StoredMetric[]): readonly UsingMetric[] {
  return metrics.filter(
    (metric): metric is UsingMetric =>
      metric.definition !== undefined && groupsOfMetric(metric.definition).has(id),
  );
}

function expressionOf({
  id,
  definition,
}: Stored<LogGroupDefinition>): readonly (readonly [string, string])[] {
  return definition === undefined ? [] : [[id, definition.expression]];
}

function reportOf(
  { id, createdAtUnixMicro, definition }: Stored<LogGroupDefinition>,
  metrics: readonly StoredMetric[],
): LogGroupReport | undefined {
  if (definition === undefined) return undefined;
  const usedBy = usersOf(id, metrics).map((metric) => metric.id);
  return { ...definition, createdAt: formatIsoTime(createdAtUnixMicro), usedBy };
}

function found(
  groups: readonly Stored<LogGroupDefinition>[],
  metrics: readonly StoredMetric[],
  id: string,
): LogGroupReport {
  const group = groups.find((each) => each.id === id);
  if (group === undefined) throw new MonitorError('not-found', `Cannot find the log group ${id}.`);
  const report = reportOf(group, metrics);
  if (report !== undefined) return report;
  throw new MonitorError('invalid', `Cannot read the definition of the log group ${id} (${group.problem}).`);
}

function computedAgain(metric: string): string {
  return `The metric ${metric} computes its newest points again, back to startOffsetSeconds; older points keep their values.`;
}
