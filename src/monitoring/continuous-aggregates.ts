import { randomBytes } from 'node:crypto';
import { type Sql, sql } from '../logstore/sql/sql.ts';
import { SqlError } from '../logstore/sql/sql-database.ts';
import { sqlName } from '../logstore/sql/sql-name.ts';
import { textOf } from '../logstore/sql/sql-row.ts';
import { aggregateDefinition, aggregateHash, dropAggregate } from './aggregate-definition.ts';
import { selectMetrics, storedMetric } from './definitions.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { MAX_SEGMENTS } from './metric-sql.ts';
import type { MonitorDatabase, Rows } from './monitor-database.ts';
import { keepPoints, materializedIn } from './point-source.ts';
import type { Span } from './spans.ts';
import { parseProgress, progressText, type StoredAggregate } from './watermark.ts';

/**
 * The continuous aggregates of a store in a hypertable of TimescaleDB. Other stores have none.
 *
 * - A metric refers to its aggregate in its row; both are written in one transaction. Names are random and are never
 * used again. So an aggregate without a reference belongs to a deleted or edited metric, and can be dropped.
 * - Only the holder of the lease creates and drops. A former holder that continues can leave an aggregate without a
 * reference, but cannot drop one that has it.
 * - TimescaleDB notes the times of late records itself, and a refresh computes only these. A refresh of a span twice, or
 * by two aggregators, has the same result. The caller decides which spans are due.
 */
export class ContinuousAggregates {
  readonly #database: MonitorDatabase;
  #supported: Promise<Supported | undefined> | undefined;

  constructor(database: MonitorDatabase) {
    this.#database = database;
  }

  /**
   * Creates the aggregate of a metric and refers to it. `lost`: another aggregator holds the lease. Rejects with SqlError
   * for a failure that a retry may remedy.
   */
  async create(metric: MetricDefinition, createdAtUnixMicro: number): Promise<CreatedAggregate> {
    const supported = await this.#support();
    if (supported === undefined) return { kind: 'unsupported' };
    const { extensionSchema } = supported;
    const view = `${PREFIX}${metric.id.slice(0, ID_CHARACTERS)}_${randomBytes(6).toString('hex')}`;
    const isMetric = sql`id = ${metric.id}::text and created_at = ${this.#database.time(createdAtUnixMicro)}`;
    try {
      const rows = await this.#database.writeAsHolder([
        ...aggregateDefinition(metric, { view, extensionSchema }),
        sql`update metrics set watermark = ${referenceSql(view, aggregateHash(metric))}
          where ${isMetric} and ${this.#database.isHeld} returning watermark`,
      ]);
      if (rows === undefined) return { kind: 'lost' };
      const [written] = rows.at(-1) ?? [];
      if (written === undefined) return { kind: 'refused', reason: 'the metric was deleted or edited' };
      const { aggregate } = parseProgress(textOf(written, 'watermark'));
      if (aggregate === undefined) return { kind: 'refused', reason: 'the view does not exist afterwards' };
      return { kind: 'created', aggregate };
    } catch (error) {
      if (!(error instanceof SqlError) || error.kind !== 'statement') throw error;
      return { kind: 'refused', reason: error.message };
    }
  }

  /** Computes the buckets with new records in the span, which consists of whole buckets. */
  async refresh({ view }: StoredAggregate, { from, to }: Span, timeoutMs: number): Promise<void> {
    const { dialect } = this.#database;
    const supported = await this.#support();
    if (supported === undefined) throw new SqlError('statement', 'the store has no hypertable');
    const { extensionSchema, storeSchema } = supported;
    const name = sqlName(storeSchema, view).parts.join('');
    await this.#database.call(
      sql`call ${sqlName(extensionSchema, 'refresh_continuous_aggregate')}(${name}::regclass,
        ${dialect.timestamp(from * 1e6)}, ${dialect.timestamp(to * 1e6)})`,
      timeoutMs,
    );
  }

  /** The number of buckets in these spans with more segments than a metric keeps. */
  countOverfull(aggregate: StoredAggregate, spans: readonly Span[]): Sql {
    if (spans.length === 0) return sql`select 0 as full_buckets`;
    const { dialect } = this.#database;
    const from = dialect.timestamp(Math.min(...spans.map((span) => span.from)) * 1e6);
    const to = dialect.timestamp(Math.max(...spans.map((span) => span.to)) * 1e6);
    return sql`select count(*) as full_buckets from (
      select bucket from ${materializedIn(aggregate)} where bucket >= ${from} and bucket < ${to}
      group by bucket having count(*) > ${MAX_SEGMENTS}::bigint) as full_ones`;
  }

  /**
   * Copies the points of the aggregate to `metric_points`, and ends the reference: from now on the metric is computed
   * like in other stores.
   */
  async leave(
    { id }: MetricDefinition,
    { createdAtUnixMicro, aggregate }: LeftAggregate,
  ): Promise<'left' | 'gone' | 'lost'> {
    const isMetric = sql`id = ${id}::text and created_at = ${this.#database.time(createdAtUnixMicro)}
      and ${this.#database.isHeld}`;
    const keep = keepPoints(id, aggregate, sql`exists (select 1 from metrics where ${isMetric})`);
    const end = sql`update metrics set watermark = ${progressText({ position: undefined })}::text, refreshed_at = null
      where ${isMetric} returning id`;
    try {
      return leftOf(await this.#database.writeAsHolder([keep, end], COPY_TIMEOUT_MS));
    } catch (error) {
      if (!(error instanceof SqlError) || error.kind !== 'statement') throw error;
      // The operator has dropped the view: its points are gone.
      return leftOf(await this.#database.writeAsHolder([end]));
    }
  }

  /**
   * Drops the aggregates of metrics that were deleted or edited. Resolves with those that cannot be dropped, such as one
   * that a view of the operator reads.
   */
  async dropUnused(): Promise<readonly KeptAggregate[]> {
    if ((await this.#support()) === undefined) return [];
    const [metrics = [], views = []] = await this.#database.read([
      selectMetrics(this.#database.dialect),
      sql`select view_name from timescaledb_information.continuous_aggregates
        where view_schema = current_schema() and view_name like ${`${PREFIX.replaceAll('_', '\\_')}%`}::text`,
    ]);
    const used = new Set(metrics.map((row) => parseProgress(storedMetric(row).watermark).aggregate?.view));
    const unused = views.map((row) => textOf(row, 'view_name')).filter((view) => !used.has(view));
    const kept: KeptAggregate[] = [];
    for (const view of unused) {
      try {
        await this.#database.writeAsHolder(dropAggregate(view), COPY_TIMEOUT_MS);
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        kept.push({ view, reason: error.message });
      }
    }
    return kept;
  }

  /** undefined: the store is not in a hypertable. */
  #support(): Promise<Supported | undefined> {
    this.#supported ??= this.#findHypertable().catch((error: unknown) => {
      this.#supported = undefined;
      throw error;
    });
    return this.#supported;
  }

  async #findHypertable(): Promise<Supported | undefined> {
    if (this.#database.dialect.name !== 'postgres') return undefined;
    const [[extension] = []] = await this.#database.read([
      sql`select nspname as extension_schema from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
        where extname = 'timescaledb'`,
    ]);
    if (extension === undefined) return undefined;
    const [[table] = []] = await this.#database.read([
      sql`select hypertable_schema::text as store_schema from timescaledb_information.hypertables
        where hypertable_schema = current_schema() and hypertable_name = 'log_records'`,
    ]);
    if (table === undefined) return undefined;
    return {
      extensionSchema: textOf(extension, 'extension_schema'),
      storeSchema: textOf(table, 'store_schema'),
    };
  }
}

interface Supported {
  readonly extensionSchema: string;
  readonly storeSchema: string;
}

export type CreatedAggregate =
  | { readonly kind: 'created'; readonly aggregate: StoredAggregate }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'lost' };

export interface KeptAggregate {
  readonly view: string;
  readonly reason: string;
}

export interface LeftAggregate {
  readonly createdAtUnixMicro: number;
  readonly aggregate: StoredAggregate;
}

/** `gone`: the metric was deleted or edited. `lost`: another aggregator holds the lease. */
function leftOf(rows: Rows | undefined): 'left' | 'gone' | 'lost' {
  if (rows === undefined) return 'lost';
  return rows.at(-1)?.length === 1 ? 'left' : 'gone';
}

/** The view is named after the metric, so that people can query it. */
const PREFIX = 'metric_view_';
/** Names have at most 63 bytes: prefix 12, id 30, random 13, and `_segment` of a function 8. */
const ID_CHARACTERS = 30;
const COPY_TIMEOUT_MS = 60_000;

/** The text of the reference, see `watermark.ts`. TimescaleDB chooses the name of the table. */
function referenceSql(view: string, hash: string): Sql {
  return sql`(select json_build_object(
      'aggregate', json_build_object('view', view_name,
        'materialized', json_build_array(materialization_hypertable_schema, materialization_hypertable_name),
        'hash', ${hash}::text),
      'position', null)::text
    from timescaledb_information.continuous_aggregates
    where view_schema = current_schema() and view_name = ${view}::text)`;
}
