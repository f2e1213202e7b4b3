import { sql } from '../logstore/sql/sql.ts';
import type { SqlRow } from '../logstore/sql/sql-database.ts';
import { numberOf, numberOrNull, textOf, textOrNull } from '../logstore/sql/sql-row.ts';
import { segmentState, selectStates } from './alert-check.ts';
import type {
  AlertDefinition,
  AlertEvent,
  AlertReport,
  AlertState,
  AlertStatus,
  Comparison,
} from './alert-definition.ts';
import type { AlertPage } from './alert-pager.ts';
import { MAX_WINDOW_BUCKETS } from './alert-window.ts';
import { type StoredAlert, selectAlerts, selectMetrics, storedAlert, storedMetric } from './definitions.ts';
import { formatIsoTime } from './format-iso-time.ts';
import { insertDefinition } from './insert-definition.ts';
import { MonitorError } from './monitor.ts';
import type { MonitorDatabase } from './monitor-database.ts';

/** The alerts in the store, for the API. */
export class AlertCatalogue {
  readonly #database: MonitorDatabase;

  constructor(database: MonitorDatabase) {
    this.#database = database;
  }

  async list(): Promise<{
    readonly alerts: readonly StoredAlert[];
    readonly reports: readonly AlertReport[];
  }> {
    const { dialect } = this.#database;
    const [rows = [], states = []] = await this.#database.read([
      selectAlerts(dialect),
      selectStates(dialect, sql`true`),
    ]);
    const alerts = rows.map(storedAlert);
    const statesOf = (id: string) => states.filter((row) => row.alert === id);
    return { alerts, reports: alerts.flatMap((alert) => reportOf(alert, statesOf(alert.id)) ?? []) };
  }

  async get(id: string): Promise<AlertReport> {
    const { dialect } = this.#database;
    const [[row] = [], states = []] = await this.#database.read([
      selectAlerts(dialect, sql`id = ${id}::text`),
      selectStates(dialect, sql`alert = ${id}::text`),
    ]);
    const alert = found(row, id);
    const report = reportOf(alert, states);
    if (report === undefined) throw unreadable(alert);
    return report;
  }

  async create(definition: AlertDefinition): Promise<AlertReport> {
    const { id, metric } = definition;
    await this.#mustFit(definition);
    const now = this.#database.nowUnixMicro;
    const condition = sql`exists (select 1 from metrics where id = ${metric}::text)`;
    const added = { kind: 'alert', id, definition, createdAtUnixMicro: now, condition } as const;
    if (!(await insertDefinition(this.#database, added))) throw noMetric(definition);
    return { definition, createdAt: formatIsoTime(now), states: [] };
  }

  /** Pages that the alert may have open. */
  async delete(id: string): Promise<readonly AlertPage[]> {
    const is = sql`alert = ${id}::text`;
    const [deleted = [], states = []] = await this.#database.write([
      sql`delete from alerts where id = ${id}::text returning id`,
      sql`delete from alert_states where ${is} returning segment, state`,
      sql`delete from alert_history where ${is}`,
    ]);
    if (deleted.length === 0) throw notFound(id);
    return states
      .filter((row) => row.state === 'firing')
      .map((row) => ({ alert: id, segment: textOrNull(row, 'segment') }));
  }

  async history(id: string, limit: number): Promise<readonly AlertEvent[]> {
    const { dialect } = this.#database;
    const [[row] = [], events = []] = await this.#database.read([
      selectAlerts(dialect, sql`id = ${id}::text`),
      sql`select segment, ${dialect.unixMicro(sql`"at"`)} as happened_at, from_state, to_state, observed, level, comparison
        from alert_history where alert = ${id}::text order by "at" desc, segment limit ${limit}::bigint`,
    ]);
    found(row, id);
    return events.map((event) => eventOf(id, event));
  }

  /** Checks that the metric exists and has what the alert needs. */
  async #mustFit(definition: AlertDefinition): Promise<void> {
    const { dialect } = this.#database;
    const [[row] = []] = await this.#database.read([
      selectMetrics(dialect, sql`id = ${definition.metric}::text`),
    ]);
    const metric = row === undefined ? undefined : storedMetric(row).definition;
    if (metric === undefined) throw noMetric(definition);
    if (definition.windowSeconds / metric.periodSeconds > MAX_WINDOW_BUCKETS) {
      throw new MonitorError(
        'invalid',
        `A window of ${definition.windowSeconds} s has more than ${MAX_WINDOW_BUCKETS} buckets of the metric ${metric.id}. Shorten the window.`,
      );
    }
  }
}

function reportOf(alert: StoredAlert, states: readonly SqlRow[]): AlertReport | undefined {
  const { definition, createdAtUnixMicro } = alert;
  if (definition === undefined) return undefined;
  return {
    definition,
    createdAt: formatIsoTime(createdAtUnixMicro),
    states: states.map((row) => statusOf(definition, row)),
  };
}

function statusOf({ id, level, comparison }: AlertDefinition, row: SqlRow): AlertStatus {
  const { segment, state, observed, sinceUnixMicro, pendingSinceUnixMicro } = segmentState(row);
  return {
    alert: id,
    segment,
    state,
    since: formatIsoTime(sinceUnixMicro),
    observed,
    level,
    comparison,
    pendingSince: pendingSinceUnixMicro === null ? null : formatIsoTime(pendingSinceUnixMicro),
    checkedAt: formatIsoTime(numberOf(row, 'checked_at')),
  };
}

function eventOf(alert: string, row: SqlRow): AlertEvent {
  return {
    alert,
    segment: textOrNull(row, 'segment'),
    at: formatIsoTime(numberOf(row, 'happened_at')),
    from: textOf(row, 'from_state') as AlertState,
    to: textOf(row, 'to_state') as AlertState,
    observed: numberOrNull(row, 'observed'),
    level: numberOf(row, 'level'),
    comparison: textOf(row, 'comparison') as Comparison,
  };
}

function found(row: SqlRow | undefined, id: string): StoredAlert {
  if (row === undefined) throw notFound(id);
  return storedAlert(row);
}

function notFound(id: string): MonitorError {
  return new MonitorError('not-found', `Cannot find the alert ${id}.`);
}

function noMetric({ metric }: AlertDefinition): MonitorError {
  return new MonitorError('invalid', `Cannot find the metric ${metric} of the alert.`);
}

function unreadable({ id, problem }: StoredAlert): MonitorError {
  return new MonitorError(
    'invalid',
    `Cannot read the definition of the alert ${id} (${problem}). Delete the alert and create it again.`,
  );
}
