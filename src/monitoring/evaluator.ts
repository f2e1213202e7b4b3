import { sql } from '../logstore/sql/sql.ts';
import { SqlError } from '../logstore/sql/sql-database.ts';
import { numberOf, textOf } from '../logstore/sql/sql-row.ts';
import type { Clock } from '../runtime/clock.ts';
import type { AlertCheck } from './alert-check.ts';
import type { AlertPager } from './alert-pager.ts';
import { windowOf } from './alert-window.ts';
import { EvaluationFailures, type EvaluationProblem } from './evaluation-failures.ts';
import type { MonitorEvents } from './events.ts';
import { keepHouse } from './housekeeping.ts';
import type { MetricRefresh } from './metric-refresh.ts';
import { LEASE_MS, type MonitorDatabase } from './monitor-database.ts';
import type { Pages } from './pages.ts';
import { Schedule } from './schedule.ts';
import { Watched } from './watched.ts';
import type { Watermark } from './watermark.ts';

export interface EvaluatorOptions {
  readonly database: MonitorDatabase;
  readonly pages: Pages;
  readonly pager: AlertPager;
  readonly clock: Clock;
  readonly events: MonitorEvents;
}

/** How often the lease is renewed, or asked for; and definitions are read, for another aggregator may create some. */
const LEASE_EVERY_MS = LEASE_MS / 3;
const READ_EVERY_MS = 5000;
const KEEP_HOUSE_EVERY_MS = 3_600_000;
/** There is more urgent work at the beginning. */
const FIRST_KEEP_HOUSE_MS = 300_000;
/** What failed is tried again after its period, but not sooner than this. */
const FAILED_EVERY_MS = 10_000;

const [LEASE, READ, KEEP_HOUSE] = ['lease', 'definitions', 'house'];

/**
 * What one aggregator of those at a store does all the time. A turn does what is due, one after another, and says when the
 * next is:
 *
 *     lease          ours? then go on; else close stale pages, and that is all
 *     definitions    of metrics and alerts
 *     metrics        refreshed, before the alerts that look at them
 *     alerts         checked, paged
 *     house          points and history that are too old or too many
 *
 * What fails, fails alone: it is reported, and due again later.
 */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #schedule: Schedule;
  #isHolder = false;
  readonly #watched: Watched;
  readonly #firing = new Map<string, number>();
  readonly #failures: EvaluationFailures;
  /** By metric: why its last refresh failed. */
  readonly #refreshProblems = new Map<string, string>();

  constructor(options: EvaluatorOptions) {
    this.#options = options;
    this.#watched = new Watched(options.database, options.events);
    this.#schedule = new Schedule(options.clock);
    this.#failures = new EvaluationFailures(options.pager);
    this.#schedule.only([LEASE]);
  }

  get isHolder(): boolean {
    return this.#isHolder;
  }

  /** The alerts that cannot be checked, as far as this aggregator is the one that checks them. */
  get problems(): readonly EvaluationProblem[] {
    return this.#failures.problems;
  }

  /** Definitions have changed here. */
  changed(): void {
    if (this.#isHolder) this.#schedule.now(READ);
  }

  /** Resolves with how long there is nothing to do. Never rejects. */
  async turn(): Promise<number> {
    const { events } = this.#options;
    try {
      await this.#ownTurn();
    } catch (error) {
      if (error instanceof SqlError) events.storeFailed(error.message);
      else events.broken(error);
      if (this.#isHolder) this.#allFailed(reasonOf(error));
    }
    return this.#schedule.waitMs;
  }

  #allFailed(reason: string): void {
    const now = this.#options.database.nowUnixMicro;
    for (const { definition } of this.#watched.alerts.values())
      this.#failures.failed(definition, reason, now);
  }

  async #ownTurn(): Promise<void> {
    await this.#when(LEASE, LEASE_EVERY_MS, () => this.#askForLease());
    if (!this.#isHolder) return;
    await this.#when(READ, READ_EVERY_MS, () => this.#readDefinitions());
    await this.#refreshMetrics();
    await this.#checkAlerts();
    await this.#when(KEEP_HOUSE, KEEP_HOUSE_EVERY_MS, () => keepHouse(this.#options.database));
  }

  async #when(name: string, periodMs: number, work: () => Promise<void>): Promise<void> {
    if (!this.#schedule.isDue(name)) return;
    // Before: what becomes due again meanwhile, is.
    this.#schedule.done(name, this.#options.clock.monotonicMs(), periodMs);
    await work();
  }

  async #askForLease(): Promise<void> {
    const { database, pages, events } = this.#options;
    const isHeld = await database.acquire();
    if (isHeld && !this.#isHolder) {
      await pages.takeOver();
      this.#isHolder = true;
      this.#schedule.only(this.#names());
      this.#schedule.done(KEEP_HOUSE, this.#options.clock.monotonicMs(), FIRST_KEEP_HOUSE_MS);
    } else if (isHeld) {
      await pages.closeStale();
    } else {
      this.#lost();
      await pages.closeStale();
    }
    events.storeWorks();
    events.evaluating(isHeld);
  }

  /** What is known of positions is from here on somebody else's. */
  #lost(): void {
    this.#isHolder = false;
    this.#watched.forget();
    this.#firing.clear();
    this.#refreshProblems.clear();
    this.#failures.only(new Set());
    this.#schedule.only([LEASE]);
    this.#options.events.evaluating(false);
  }

  #names(): readonly string[] {
    const metrics = [...this.#watched.metrics.keys()].map(metricName);
    const alerts = [...this.#watched.alerts.keys()].map(alertName);
    return [LEASE, READ, KEEP_HOUSE, ...metrics, ...alerts];
  }

  async #readDefinitions(): Promise<void> {
    await this.#watched.read();
    for (const key of this.#firing.keys()) if (!this.#watched.alerts.has(key)) this.#firing.delete(key);
    for (const key of this.#refreshProblems.keys())
      if (!this.#watched.metrics.has(key)) this.#refreshProblems.delete(key);
    this.#failures.only(new Set([...this.#watched.alerts.values()].map(({ definition }) => definition.id)));
    this.#schedule.only(this.#names());
  }

  async #refreshMetrics(): Promise<void> {
    const due = [...this.#watched.metrics].filter(([key]) => this.#schedule.isDue(metricName(key)));
    if (due.length === 0) return;
    // One reading for all of them: an older one is as good.
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
      if (fullBuckets > 0) events.segmentsLeftOut(id, fullBuckets);
      this.#refreshProblems.delete(key);
      events.refreshed(id, (clock.monotonicMs() - startedMs) / 1000);
      this.#schedule.done(metricName(key), startedMs, isBehind ? 0 : refreshSeconds * 1000);
    } catch (error) {
      this.#schedule.done(metricName(key), startedMs, Math.max(refreshSeconds * 1000, FAILED_EVERY_MS));
      this.#refreshProblems.set(key, reasonOf(error));
      events.refreshFailed(id, reasonOf(error));
    }
  }

  /** Read before anything that it says has been seen: see `metric-refresh.ts`. */
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
      if (metric === undefined) throw new Error(`the metric ${metricId} is not there, or cannot be read`);
      const result = await alert.check(metric.definition, metric.computed);
      if (result === 'lost') return this.#lost();
      if (result !== undefined) {
        for (const change of result.changes) events.changed(id, change);
        pages.checked(alert.definition, result);
        this.#firing.set(key, result.states.filter(({ state }) => state === 'firing').length);
        events.firing([...this.#firing.values()].reduce((all, each) => all + each, 0));
      }
      this.#throwIfBlind(alert, metric, metricKey);
      this.#failures.worked(id);
      events.checked(id);
      this.#schedule.done(alertName(key), startedMs, periodMs);
    } catch (error) {
      this.#schedule.done(alertName(key), startedMs, Math.max(periodMs, FAILED_EVERY_MS));
      this.#failures.failed(alert.definition, reasonOf(error), this.#options.database.nowUnixMicro);
      events.checkFailed(id, reasonOf(error));
    }
  }

  /** The states stay as they are, but say nothing about now. */
  #throwIfBlind({ definition }: AlertCheck, metric: MetricRefresh, metricKey: string): void {
    const window = metric.computed && windowOf(definition, metric.definition, metric.computed);
    const problem =
      this.#refreshProblems.get(metricKey) ?? (window === undefined ? undefined : metric.problemOf(window));
    if (problem !== undefined) {
      throw new Error(`the metric ${definition.metric} has no value in the window: ${problem}`);
    }
  }
}

function metricName(key: string): string {
  return `metric ${key}`;
}

function alertName(key: string): string {
  return `alert ${key}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
