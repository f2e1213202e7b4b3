import { sql } from '../logstore/sql/sql.ts';
import { SqlError } from '../logstore/sql/sql-database.ts';
import { numberOf, textOf } from '../logstore/sql/sql-row.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/error-message.ts';
import type { AlertCheck } from './alert-check.ts';
import type { AlertDefinition } from './alert-definition.ts';
import type { AlertPager } from './alert-pager.ts';
import { alertWindow } from './alert-window.ts';
import { ContinuousAggregates } from './continuous-aggregates.ts';
import { EvaluationFailures, type EvaluationProblem } from './evaluation-failures.ts';
import type { MonitorEvents } from './events.ts';
import type { MetricRefresh } from './metric-refresh.ts';
import { LEASE_MS, type MonitorDatabase } from './monitor-database.ts';
import type { OpenAlertPages } from './open-alert-pages.ts';
import { runMaintenance } from './run-maintenance.ts';
import { Schedule } from './schedule.ts';
import { WatchedDefinitions } from './watched-definitions.ts';
import type { Watermark } from './watermark.ts';

/**
 * The continuous work of the one aggregator at a store that holds the lease. A turn does everything that is
 * due, one after another, and returns when the next work is due:
 *
 *     lease          continue if it is ours; else only close stale pages
 *     definitions    of metrics and alerts
 *     metrics        refreshed, before the alerts that use them
 *     alerts         checked, paged
 *     maintenance    deletes old points and history
 *
 * A failure affects only its own part: it is reported, and the part is due again later.
 */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #schedule: Schedule;
  #isHolder = false;
  readonly #watched: WatchedDefinitions;
  readonly #aggregates: ContinuousAggregates;
  readonly #firing = new Map<string, number>();
  readonly #failures: EvaluationFailures;
  /** The reason for the last failed refresh, by metric. */
  readonly #refreshProblems = new Map<string, string>();

  constructor(options: EvaluatorOptions) {
    this.#options = options;
    this.#aggregates = new ContinuousAggregates(options.database);
    this.#watched = new WatchedDefinitions({ ...options, aggregates: this.#aggregates });
    this.#schedule = new Schedule(options.clock);
    this.#failures = new EvaluationFailures(options.pager);
    this.#schedule.only([LEASE]);
  }

  get isHolder(): boolean {
    return this.#isHolder;
  }

  /** The alerts that this aggregator should check and cannot. */
  get problems(): readonly EvaluationProblem[] {
    return this.#failures.problems;
  }

  /** Called after a change of definitions in this process. */
  changed(): void {
    if (this.#isHolder) this.#schedule.now(READ);
  }

  /** Resolves with the time until the next work is due. Never rejects. */
  async turn(): Promise<number> {
    const { events } = this.#options;
    try {
      await this.#ownTurn();
    } catch (error) {
      if (error instanceof SqlError) events.storeFailed({ reason: error.message });
      else events.broken({ err: error });
      if (this.#isHolder) this.#allFailed(errorMessage(error));
    }
    return this.#schedule.waitMs;
  }

  #allFailed(reason: string): void {
    for (const { definition } of this.#watched.alerts.values()) this.#failed(definition, reason);
  }

  #failed(definition: AlertDefinition, reason: string): void {
    const notify = definition.notify && !this.#watched.isSilenced(definition.id);
    this.#failures.failed({ id: definition.id, notify }, reason, this.#options.database.nowUnixMicro);
  }

  async #ownTurn(): Promise<void> {
    const isIdle = this.#isIdle;
    await this.#when(LEASE, isIdle ? IDLE_EVERY_MS : LEASE_EVERY_MS, () => this.#askForLease());
    if (!this.#isHolder) return;
    await this.#when(READ, isIdle ? IDLE_EVERY_MS : READ_EVERY_MS, () => this.#readDefinitions());
    await this.#refreshMetrics();
    await this.#checkAlerts();
    await this.#when(MAINTENANCE, MAINTENANCE_EVERY_MS, () => this.#maintain());
  }

  async #maintain(): Promise<void> {
    await runMaintenance(this.#options.database);
    await this.#dropAggregates();
  }

  async #dropAggregates(): Promise<void> {
    for (const kept of await this.#aggregates.dropUnused()) this.#options.events.aggregateKept(kept);
  }

  /** There is no other aggregator, and no work. `changed` reports the first definition. */
  get #isIdle(): boolean {
    const { metrics, alerts } = this.#watched;
    return this.#isHolder && !this.#options.database.isShared && metrics.size + alerts.size === 0;
  }

  async #when(name: string, periodMs: number, work: () => Promise<void>): Promise<void> {
    if (!this.#schedule.isDue(name)) return;
    // Reset before the work, so that a request during the work is not lost.
    this.#schedule.done(name, this.#options.clock.monotonicMs(), periodMs);
    await work();
  }

  async #askForLease(): Promise<void> {
    const { database, pages, events } = this.#options;
    const { term } = database;
    const isHeld = await database.acquire();
    // Another aggregator may have had it in between.
    if (this.#isHolder && database.term !== term) this.#lost();
    if (isHeld && !this.#isHolder) {
      await pages.takeOver();
      this.#isHolder = true;
      this.#schedule.only(this.#names());
      this.#schedule.done(MAINTENANCE, this.#options.clock.monotonicMs(), FIRST_MAINTENANCE_MS);
    } else if (isHeld) {
      await pages.closeStale();
    } else {
      this.#lost();
      await pages.closeStale();
    }
    events.storeWorks();
    events.evaluating({ isEvaluator: isHeld });
  }

  /** From now on another aggregator changes the positions: ours are outdated. */
  #lost(): void {
    this.#isHolder = false;
    this.#watched.forget();
    this.#firing.clear();
    this.#refreshProblems.clear();
    this.#failures.only(new Set());
    this.#schedule.only([LEASE]);
    this.#options.events.evaluating({ isEvaluator: false });
  }

  #names(): readonly string[] {
    const metrics = [...this.#watched.metrics.keys()].map(metricName);
    const alerts = [...this.#watched.alerts.keys()].map(alertName);
    return [LEASE, READ, MAINTENANCE, ...metrics, ...alerts];
  }

  async #readDefinitions(): Promise<void> {
    const isChanged = await this.#watched.read();
    for (const key of this.#firing.keys()) if (!this.#watched.alerts.has(key)) this.#firing.delete(key);
    for (const key of this.#refreshProblems.keys())
      if (!this.#watched.metrics.has(key)) this.#refreshProblems.delete(key);
    this.#failures.only(new Set([...this.#watched.alerts.values()].map(({ definition }) => definition.id)));
    this.#schedule.only(this.#names());
    if (isChanged) await this.#dropAggregates();
  }

  async #refreshMetrics(): Promise<void> {
    const due = [...this.#watched.metrics].filter(([key]) => this.#schedule.isDue(metricName(key)));
    if (due.length === 0) return;
    // All metrics share one reading: an older one is as good.
    let flushes: Promise<Watermark['flushes']> | undefined;
    for (const [key, metric] of due) {
      if (!this.#isHolder) return;
      await this.#refresh(key, metric, () => {
        flushes ??= this.#readFlushes();
        return flushes;
      });
    }
  }

  async #refresh(
    key: string,
    metric: MetricRefresh,
    readFlushes: () => Promise<Watermark['flushes']>,
  ): Promise<void> {
    const { clock, events } = this.#options;
    const { id, refreshSeconds } = metric.definition;
    const startedMs = clock.monotonicMs();
    try {
      const { isLost, isBehind, fullBuckets } = await metric.refresh(await readFlushes());
      if (isLost) return this.#lost();
      if (fullBuckets > 0) events.segmentsLeftOut({ metric: id, buckets: fullBuckets });
      this.#refreshProblems.delete(key);
      events.refreshed({ metric: id, seconds: (clock.monotonicMs() - startedMs) / 1000 });
      this.#schedule.done(metricName(key), startedMs, isBehind ? 0 : refreshSeconds * 1000);
    } catch (error) {
      this.#schedule.done(metricName(key), startedMs, Math.max(refreshSeconds * 1000, FAILED_EVERY_MS));
      this.#refreshProblems.set(key, errorMessage(error));
      events.refreshFailed({ metric: id, reason: errorMessage(error) });
    }
  }

  /** Must be read before the data that it describes: see `metric-refresh.ts`. */
  async #readFlushes(): Promise<Watermark['flushes']> {
    const [rows = []] = await this.#options.database.read([
      sql`select writer::text as writer, last_flush from writers`,
    ]);
    return Object.fromEntries(rows.map((row) => [textOf(row, 'writer'), numberOf(row, 'last_flush')]));
  }

  async #checkAlerts(): Promise<void> {
    for (const [key, alert] of this.#watched.alerts) {
      if (this.#isHolder && this.#schedule.isDue(alertName(key))) await this.#check(key, alert);
    }
  }

  async #check(key: string, alert: AlertCheck): Promise<void> {
    const { clock, events, pages } = this.#options;
    const { id, metric: metricId, checkSeconds } = alert.definition;
    const [metricKey = '', metric] =
      [...this.#watched.metrics].find(([, { definition }]) => definition.id === metricId) ?? [];
    const periodMs = (checkSeconds ?? metric?.definition.periodSeconds ?? 60) * 1000;
    const startedMs = clock.monotonicMs();
    try {
      if (metric === undefined)
        throw new Error(`the metric ${metricId} does not exist, or its definition cannot be read`);
      const result = await alert.check(metric);
      if (result === 'lost') return this.#lost();
      if (result !== undefined) {
        for (const change of result.changes) events.changed({ alert: id, ...change });
        pages.checked(alert.definition, { ...result, isSilenced: this.#watched.isSilenced(id) });
        this.#firing.set(key, result.states.filter(({ state }) => state === 'firing').length);
        events.firing({ segments: [...this.#firing.values()].reduce((all, each) => all + each, 0) });
      }
      this.#throwIfBlind(alert, metric, metricKey);
      this.#failures.worked(id);
      events.checked({ alert: id });
      this.#schedule.done(alertName(key), startedMs, periodMs);
    } catch (error) {
      this.#schedule.done(alertName(key), startedMs, Math.max(periodMs, FAILED_EVERY_MS));
      this.#failed(alert.definition, errorMessage(error));
      events.checkFailed({ alert: id, reason: errorMessage(error) });
    }
  }

  /** The states are kept, but they do not describe the current data. */
  #throwIfBlind({ definition }: AlertCheck, metric: MetricRefresh, metricKey: string): void {
    const window = metric.computed && alertWindow(definition, metric.definition, metric.computed);
    const problem =
      this.#refreshProblems.get(metricKey) ?? (window === undefined ? undefined : metric.problemOf(window));
    if (problem !== undefined) {
      throw new Error(`the metric ${definition.metric} has no value in the window: ${problem}`);
    }
  }
}

export interface EvaluatorOptions {
  readonly database: MonitorDatabase;
  readonly pages: OpenAlertPages;
  readonly pager: AlertPager;
  readonly clock: Clock;
  readonly events: MonitorEvents;
}

/**
 * Interval of renewing or requesting the lease, and of reading definitions, which another aggregator may
 * create.
 */
const LEASE_EVERY_MS = LEASE_MS / 3;
const READ_EVERY_MS = 5000;
/** The same intervals while there is nothing to do. */
const IDLE_EVERY_MS = 60_000;
const MAINTENANCE_EVERY_MS = 3_600_000;
/** More urgent work comes first after the start. */
const FIRST_MAINTENANCE_MS = 300_000;
/** Failed work is retried after its period, but not sooner than this. */
const FAILED_EVERY_MS = 10_000;

const [LEASE, READ, MAINTENANCE] = ['lease', 'definitions', 'maintenance'];

function metricName(key: string): string {
  return `metric ${key}`;
}

function alertName(key: string): string {
  return `alert ${key}`;
}
