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
  EditedAlert,
} from './alert-definition.ts';
import type { AlertPage } from './alert-pager.ts';
import type { AlertSilence, SilenceRequest } from './alert-silence.ts';
import { assertFits } from './alert-window.ts';
import { type StoredAlert, selectAlerts, selectMetrics, storedAlert, storedMetric } from './definitions.ts';
import { formatIsoTime } from './format-iso-time.ts';
import { insertDefinition } from './insert-definition.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { MonitorError } from './monitor.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import { selectSilences, silenceOf, storedSilence } from './stored-silences.ts';

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
    const [rows = [], states = [], silences = []] = await this.#database.read([
      selectAlerts(dialect),
      selectStates(dialect, sql`true`),
      selectSilences(this.#database),
    ]);
    const alerts = rows.map(storedAlert);
    const of = (id: string) => ({
      states: states.filter((row) => row.alert === id),
      silence: silences.find((row) => row.alert === id),
    });
    return { alerts, reports: alerts.flatMap((alert) => reportOf(alert, of(alert.id)) ?? []) };
  }

  async get(id: string): Promise<AlertReport> {
    const { dialect } = this.#database;
    const [[row] = [], states = [], [silence] = []] = await this.#database.read([
      selectAlerts(dialect, sql`id = ${id}::text`),
      selectStates(dialect, sql`alert = ${id}::text`),
      selectSilences(this.#database, sql`alert = ${id}::text`),
    ]);
    const alert = found(row, id);
    const report = reportOf(alert, { states, silence });
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

  /**
   * Replaces a definition. The states stay, unless they are of another metric: then the pages that they may have
   * open are in the result.
   */
  async update(definition: AlertDefinition): Promise<AlertEdit> {
    const { id, metric } = definition;
    await this.#mustFit(definition);
    const before = await this.#stored(id);
    const createdAt = this.#database.laterThan(before.createdAtUnixMicro);
    const isOtherMetric = before.definition?.metric !== metric;
    const [updated = [], states = []] = await this.#database.write([
      sql`update alerts set definition = ${JSON.stringify(definition)}::text, created_at = ${this.#database.time(createdAt)}
        where id = ${id}::text and exists (select 1 from metrics where id = ${metric}::text) returning id`,
      sql`delete from alert_states where alert = ${id}::text and ${isOtherMetric}::boolean
        and exists (select 1 from alerts where id = ${id}::text and created_at = ${this.#database.time(createdAt)})
        returning segment, state`,
    ]);
    if (updated.length === 0) throw noMetric(definition);
    const changes = isOtherMetric
      ? ['The states are deleted, because they are of another metric. The next check begins without a state.']
      : ['The states stay until the next check.'];
    return { report: { ...(await this.get(id)), changes }, pages: firingPages(id, states) };
  }

  /** A second silence replaces the first. */
  async silence(id: string, { until, reason, by }: SilenceRequest): Promise<AlertSilence> {
    const { nowUnixMicro: now } = this.#database;
    const silence = silenceOf({ until, reason, by }, now);
    await this.#stored(id);
    const untilMicro = this.#database.time(Date.parse(silence.until) * 1000);
    const [, written = []] = await this.#database.write([
      sql`delete from alert_silences where alert = ${id}::text`,
      sql`insert into alert_silences (alert, silenced_until, reason, silenced_by, since)
        select ${id}::text, ${untilMicro}, ${silence.reason}::text, ${silence.by}::text, ${this.#database.time(now)}
        where exists (select 1 from alerts where id = ${id}::text) returning alert`,
    ]);
    if (written.length === 0) throw notFound(id);
    return silence;
  }

  async unsilence(id: string): Promise<void> {
    const [there = []] = await this.#database.write([
      sql`select id from alerts where id = ${id}::text`,
      sql`delete from alert_silences where alert = ${id}::text`,
    ]);
    if (there.length === 0) throw notFound(id);
  }

  async #stored(id: string): Promise<StoredAlert> {
    const { dialect } = this.#database;
    const [[row] = []] = await this.#database.read([selectAlerts(dialect, sql`id = ${id}::text`)]);
    return found(row, id);
  }

  /** Pages that the alert may have open. */
  async delete(id: string): Promise<readonly AlertPage[]> {
    const is = sql`alert = ${id}::text`;
    const [deleted = [], states = []] = await this.#database.write([
      sql`delete from alerts where id = ${id}::text returning id`,
      sql`delete from alert_states where ${is} returning segment, state`,
      sql`delete from alert_history where ${is}`,
      sql`delete from alert_silences where ${is}`,
    ]);
    if (deleted.length === 0) throw notFound(id);
    return firingPages(id, states);
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
    assertFits(definition, await this.metricOf(definition));
  }

  /** Rejects with MonitorError if the metric of the alert does not exist. */
  async metricOf(definition: AlertDefinition): Promise<MetricDefinition> {
    const { dialect } = this.#database;
    const [[row] = []] = await this.#database.read([
      selectMetrics(dialect, sql`id = ${definition.metric}::text`),
    ]);
    const metric = row === undefined ? undefined : storedMetric(row).definition;
    if (metric === undefined) throw noMetric(definition);
    return metric;
  }
}

/** An edit, and the pages that are to be resolved. */
interface AlertEdit {
  readonly report: EditedAlert;
  readonly pages: readonly AlertPage[];
}

function firingPages(alert: string, states: readonly SqlRow[]): readonly AlertPage[] {
  return states
    .filter((row) => row.state === 'firing')
    .map((row) => ({ alert, segment: textOrNull(row, 'segment') }));
}

function reportOf(
  alert: StoredAlert,
  { states, silence }: { readonly states: readonly SqlRow[]; readonly silence: SqlRow | undefined },
): AlertReport | undefined {
  const { definition, createdAtUnixMicro } = alert;
  if (definition === undefined) return undefined;
  return {
    definition,
    createdAt: formatIsoTime(createdAtUnixMicro),
    states: states.map((row) => statusOf(definition, row)),
    ...(silence !== undefined && { silence: storedSilence(silence) }),
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
