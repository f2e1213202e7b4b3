import { HOUSEKEEPING } from '../logstore/schema.ts';
import { type Sql, sql } from '../logstore/sql/sql.ts';
import { SqlError } from '../logstore/sql/sql-database.ts';
import { numberOf } from '../logstore/sql/sql-row.ts';
import { aggregateHash } from './aggregate-definition.ts';
import type { ContinuousAggregates } from './continuous-aggregates.ts';
import type { StoredMetric } from './definitions.ts';
import type { MonitorEvents } from './events.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { MAX_SEGMENTS } from './metric-sql.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import { pointSource } from './point-source.ts';
import { PointStatements } from './point-statements.ts';
import { SetAsideBuckets } from './set-aside-buckets.ts';
import { clipSpan, mergeSpans, type Span, splitSpans, takeNewest, wholeBuckets } from './spans.ts';
import { touchedSpans } from './touched-spans.ts';
import { newsSince, parseProgress, progressText, type StoredAggregate, type Watermark } from './watermark.ts';

/**
 * Keeps the points of one metric as if they were computed from the records now.
 *
 *                 startOffset                            endOffset
 *     -----------|--------------------------------------|---------| now
 *      settled    complete: kept up to date              not yet
 *                 ^ since (at the latest)               ^ until
 *
 * A refresh computes whole buckets again: delete, then insert from `log_records`. It computes:
 *
 * - buckets that became complete after the last refresh, `[until then, until now)`;
 * - buckets that have received records after it (`touched-spans.ts`);
 * - all buckets at the first refresh, or if the last one is so old that rows of `touched_minutes` may have
 * been deleted.
 *
 * **No record is missed**, although records arrive during the refresh and each statement may see more than
 * the one before (PostgreSQL, read committed). The order is always:
 *
 *     1. read `writers`: for each writer its last flush, V
 *     2. read what the flushes in (watermark, V] have touched
 *     3. compute the buckets
 *     4. the watermark becomes V
 *
 * A flush commits its rows, its touched minutes and its number in one transaction, and the flushes of a
 * writer are sequential. If step 1 reads V, steps 2 and 3 see all rows of the flushes up to V. Step 3 may see
 * rows of a later flush; its number is higher than V, so the next refresh computes its buckets again. A
 * repeated computation only costs time. A record in an incomplete bucket is dropped by step 4, and found when
 * the bucket is computed because it became complete.
 *
 * The work of one call is limited. The rest waits in memory as `#backlog`, newest first, while the position
 * advances; the position is written only with an empty backlog. So after a crash the next evaluator has an
 * older position and does more work, never less.
 *
 * **A bucket that the database cannot compute** (the deviation of huge numbers exceeds a double) is found by
 * bisection and set aside: it gets a point without a value, and the other buckets are computed.
 *
 * When records are deleted by age, their points are kept: buckets are replaced only while they have records.
 *
 * While nothing happens, only the position is written, once a minute.
 *
 * **In a hypertable of TimescaleDB** a new metric gets a continuous aggregate, which computes the buckets instead of step
 * 3: a refresh of the same spans, before the transaction that writes the position. A refresh sees all records that were
 * committed before, so no record is missed here either. If TimescaleDB refuses the definition, or later a bucket, the
 * metric is computed as in other stores.
 */
export class MetricRefresh {
  readonly definition: MetricDefinition;
  readonly #database: MonitorDatabase;
  readonly #points: PointStatements;
  #position: Watermark | undefined;
  /** The time at which the data of the position was read. */
  #positionAtUnixMicro: number | null;
  #backlog: readonly Span[] = [];
  #writtenAtUnixMicro: number | null;
  #runSeconds: number;
  readonly #setAside: SetAsideBuckets;
  readonly #aggregates: ContinuousAggregates;
  readonly #events: MonitorEvents;
  readonly #createdAtUnixMicro: number;
  #aggregate: StoredAggregate | undefined;
  /** The metric is new: the next refresh decides whether it gets an aggregate. */
  #isNew: boolean;

  constructor(stored: StoredMetric, definition: MetricDefinition, options: MetricRefreshOptions) {
    const { database } = options;
    this.definition = definition;
    this.#database = database;
    this.#aggregates = options.aggregates;
    this.#events = options.events;
    this.#createdAtUnixMicro = stored.createdAtUnixMicro;
    this.#points = new PointStatements(database, definition, stored.createdAtUnixMicro);
    const { periodSeconds } = definition;
    const buckets = Math.floor(FIRST_RUN_SECONDS / periodSeconds);
    this.#runSeconds = Math.min(Math.max(buckets, 1), this.#maxBuckets) * periodSeconds;
    const { position, aggregate } = parseProgress(stored.watermark);
    this.#isNew = stored.watermark === null;
    this.#aggregate = aggregate;
    this.#position = position;
    this.#setAside = new SetAsideBuckets(this.#position?.setAside);
    this.#positionAtUnixMicro = stored.refreshedAtUnixMicro;
    this.#writtenAtUnixMicro = stored.refreshedAtUnixMicro;
  }

  /** The newest buckets that are computed without a gap; undefined: none yet. */
  get computed(): Span | undefined {
    if (this.#position === undefined) return undefined;
    const { since, until } = this.#position;
    return { from: this.#backlog.at(-1)?.to ?? since, to: until };
  }

  /** The points as a table, see `point-source.ts`. */
  get points(): Sql {
    return pointSource(this.definition.id, this.#aggregate);
  }

  /** The reason why no bucket in the span has a value. */
  problemOf(span: Span): string | undefined {
    return this.#setAside.problemOf(span, this.definition.periodSeconds);
  }

  /** `flushes`: the content of `writers`, read just before. Rejects with SqlError; then no work is lost. */
  async refresh(flushes: Watermark['flushes']): Promise<RefreshResult> {
    if (!(await this.#hasChosenAggregate())) return { fullBuckets: 0, isBehind: false, isLost: true };
    const now = this.#database.nowUnixMicro;
    const window = this.#window(now);
    const dirty = await this.#dirty(flushes, window, now);
    this.#backlog = mergeSpans([...this.#backlog, ...dirty.spans], GAP_SECONDS);
    this.#position = { flushes, since: dirty.since, until: window.to };
    this.#positionAtUnixMicro = now;
    const result = { fullBuckets: 0, isBehind: false, isLost: false };
    for (let run = 0; run < MAX_RUNS && (this.#backlog.length > 0 || this.#isToBeWritten(now)); run++) {
      const written = await this.#compute(now);
      if (written === undefined) return { ...result, isLost: true };
      // It has left its aggregate: everything is to be computed again.
      if (this.#position === undefined) return { ...result, isBehind: true };
      result.fullBuckets += written;
    }
    return { ...result, isBehind: this.#backlog.length > 0 };
  }

  /** Creates the aggregate of a new metric, if it can have one. False: another aggregator holds the lease. */
  async #hasChosenAggregate(): Promise<boolean> {
    const outdated = this.#aggregate;
    if (outdated !== undefined && outdated.hash !== aggregateHash(this.definition)) {
      if ((await this.#left(outdated)) === 'lost') return false;
      this.#isNew = true;
    }
    if (!this.#isNew) return true;
    const created = await this.#aggregates.create(this.definition, this.#createdAtUnixMicro);
    if (created.kind === 'lost') return false;
    const metric = this.definition.id;
    if (created.kind === 'created') {
      this.#aggregate = created.aggregate;
      this.#events.aggregateCreated({ metric, view: created.aggregate.view });
    } else if (created.kind === 'refused') this.#events.aggregateRefused({ metric, reason: created.reason });
    this.#isNew = false;
    return true;
  }

  /** Continues without the aggregate. Resolves as `#compute` does. */
  async #leave(aggregate: StoredAggregate, reason: string): Promise<number | undefined> {
    const left = await this.#left(aggregate);
    if (left === 'lost') return undefined;
    // Another client may have deleted the metric, and its view is gone.
    if (left === 'left') this.#events.aggregateRefused({ metric: this.definition.id, reason });
    return 0;
  }

  async #left(aggregate: StoredAggregate): Promise<'left' | 'gone' | 'lost'> {
    const leaving = { createdAtUnixMicro: this.#createdAtUnixMicro, aggregate };
    const left = await this.#aggregates.leave(this.definition, leaving);
    if (left === 'lost') return left;
    this.#aggregate = undefined;
    this.#position = undefined;
    this.#positionAtUnixMicro = null;
    this.#writtenAtUnixMicro = null;
    this.#backlog = [];
    return left;
  }

  #window(nowUnixMicro: number): Span {
    const { periodSeconds, startOffsetSeconds, endOffsetSeconds } = this.definition;
    const begin = (offsetSeconds: number) =>
      Math.floor(Math.max(0, nowUnixMicro / 1e6 - offsetSeconds) / periodSeconds) * periodSeconds;
    return { from: begin(startOffsetSeconds), to: begin(endOffsetSeconds) };
  }

  async #dirty(flushes: Watermark['flushes'], window: Span, now: number): Promise<Dirty> {
    const before = isFresh(this.#positionAtUnixMicro, now) ? this.#position : undefined;
    const all: Dirty = { spans: [window], since: window.from };
    // A clock that was far ahead has written a position in the future.
    if (before === undefined || before.since >= window.to) return all;
    const completed = { from: Math.max(window.from, before.until), to: window.to };
    const since = before.until >= window.from ? Math.min(before.since, window.to) : window.from;
    const news = newsSince(before.flushes, flushes);
    const touched = await touchedSpans(this.#database, news, window);
    if (touched === undefined) return { ...all, since };
    const { periodSeconds } = this.definition;
    const open = touched.map((span) => clipSpan(wholeBuckets(span, periodSeconds), window));
    const isEmpty = open.length === 0 && !this.#isToBeWritten(now) && !(await this.#hasRecords(completed));
    return { spans: isEmpty ? [] : [completed, ...open], since };
  }

  async #hasRecords({ from, to }: Span): Promise<boolean> {
    if (to <= from) return false;
    const { dialect } = this.#database;
    const [rows] = await this.#database.read([
      sql`select 1 as one from log_records
        where time >= ${dialect.timestamp(from * 1e6)} and time < ${dialect.timestamp(to * 1e6)} limit 1`,
    ]);
    return rows?.length === 1;
  }

  #isToBeWritten(now: number): boolean {
    return this.#writtenAtUnixMicro === null || now - this.#writtenAtUnixMicro >= WRITE_EVERY_MICRO;
  }

  /**
   * Computes some buckets and writes the position after the last of them. Returns the number of full buckets;
   * undefined: another aggregator holds the lease.
   */
  async #compute(now: number): Promise<number | undefined> {
    const { taken, rest } = takeNewest(this.#backlog, MAX_SPANS, this.#runSeconds);
    try {
      const full = await this.#inTime(() => this.#write(taken, rest.length === 0, now));
      if (full !== undefined) this.#backlog = rest;
      return full;
    } catch (error) {
      if (!isRefused(error)) throw error;
      if (this.#aggregate !== undefined) return await this.#leave(this.#aggregate, error.message);
      return await this.#computeApart(taken, rest, now);
    }
  }

  async #write(taken: readonly Span[], isLast: boolean, now: number): Promise<number | undefined> {
    const aggregate = this.#aggregate;
    if (aggregate === undefined) return await this.#writePoints(taken, isLast, now);
    for (const span of taken) if (!(await this.#refreshAggregate(aggregate, span))) return undefined;
    const overfull = await this.#writePoints(taken, isLast, now);
    if (overfull === undefined || overfull === 0) return overfull;
    return await this.#leave(aggregate, `a bucket has more than ${MAX_SEGMENTS} segments`);
  }

  /** A span without records is left alone: its points are kept. False: another aggregator holds the lease. */
  async #refreshAggregate(aggregate: StoredAggregate, span: Span): Promise<boolean> {
    if (!(await this.#hasRecords(span))) return true;
    const isHeld = (await this.#database.writeAsHolder([], RUN_TIMEOUT_MS)) !== undefined;
    if (isHeld) await this.#aggregates.refresh(aggregate, span, RUN_TIMEOUT_MS);
    return isHeld;
  }

  /** Runs one transaction. `isLast`: the position is written, too. */
  async #writePoints(taken: readonly Span[], isLast: boolean, now: number): Promise<number | undefined> {
    const aggregate = this.#aggregate;
    const statements = taken.flatMap((span) =>
      aggregate === undefined ? this.#points.replace(span) : [this.#points.remove(span)],
    );
    if (isLast) statements.push(this.#points.writePosition(this.#positionAfter(taken), now));
    statements.push(
      aggregate === undefined
        ? this.#points.countFull(taken)
        : this.#aggregates.countOverfull(aggregate, taken),
    );
    const rows = await this.#database.writeAsHolder(statements, RUN_TIMEOUT_MS);
    if (rows === undefined) return undefined;
    this.#setAside.remove(taken);
    if (isLast) this.#writtenAtUnixMicro = now;
    const full = rows.at(-1)?.[0];
    return full === undefined ? 0 : numberOf(full, 'full_buckets');
  }

  /** Bisects spans that the database refuses, until single buckets are left, which it sets aside. */
  async #computeApart(
    taken: readonly Span[],
    rest: readonly Span[],
    now: number,
  ): Promise<number | undefined> {
    const { periodSeconds } = this.definition;
    const groups: (readonly Span[])[] = [...splitSpans(taken, periodSeconds)];
    let full = 0;
    for (let refused = 0; groups.length > 0 && refused < MAX_REFUSED; ) {
      const group = groups.pop() ?? [];
      try {
        const written = await this.#write(group, false, now);
        if (written === undefined) return undefined;
        full += written;
      } catch (error) {
        if (!isRefused(error)) throw error;
        refused++;
        const parts = splitSpans(group, periodSeconds);
        if (parts.length > 1) groups.push(...parts);
        else if (!(await this.#putAside(group, error.message))) return undefined;
      }
    }
    this.#backlog = mergeSpans([...rest, ...groups.flat()]);
    if (this.#backlog.length > 0) return full;
    return (await this.#write([], true, now)) === undefined ? undefined : full;
  }

  /** Whether this aggregator holds the lease. */
  async #putAside([bucket]: readonly Span[], reason: string): Promise<boolean> {
    if (bucket === undefined) return true;
    const rows = await this.#database.writeAsHolder(this.#points.setAside(bucket));
    this.#setAside.add(bucket.from, reason);
    return rows !== undefined;
  }

  /** The progress as text, with the buckets that are still set aside after these are computed. */
  #positionAfter(taken: readonly Span[]): string {
    const list = this.#setAside.without(taken);
    const position = this.#position && { ...this.#position, setAside: list.length === 0 ? undefined : list };
    return progressText({ aggregate: this.#aggregate, position });
  }

  /** Reduces the size of a run that takes too long, and increases it again if runs are fast. */
  async #inTime<T>(run: () => Promise<T>): Promise<T> {
    const { periodSeconds } = this.definition;
    const whole = (seconds: number) => Math.max(Math.floor(seconds / periodSeconds), 1) * periodSeconds;
    try {
      const result = await run();
      this.#runSeconds = Math.min(
        this.#runSeconds * 2,
        whole(MAX_RUN_SECONDS),
        whole(this.#maxBuckets * periodSeconds),
      );
      return result;
    } catch (error) {
      if (error instanceof SqlError && error.kind === 'timeout')
        this.#runSeconds = whole(this.#runSeconds / 2);
      throw error;
    }
  }

  get #maxBuckets(): number {
    return this.definition.segment === undefined ? MAX_BUCKETS : MAX_SEGMENTED_BUCKETS;
  }
}

export interface MetricRefreshOptions {
  readonly database: MonitorDatabase;
  readonly aggregates: ContinuousAggregates;
  readonly events: MonitorEvents;
}

export interface RefreshResult {
  /** The number of computed buckets with the maximum number of segments: there may be more segments. */
  readonly fullBuckets: number;
  /** More work is left. */
  readonly isBehind: boolean;
  /** Another aggregator holds the lease. */
  readonly isLost: boolean;
}

interface Dirty {
  readonly spans: readonly Span[];
  readonly since: number;
}

/** Limits of one call: runs, and for each run its spans and buckets. */
const MAX_RUNS = 4;
const MAX_SPANS = 20;
const MAX_BUCKETS = 20_000;
const MAX_SEGMENTED_BUCKETS = 1000;
const FIRST_RUN_SECONDS = 3600;
const MAX_RUN_SECONDS = 86_400;
const RUN_TIMEOUT_MS = 20_000;
/** Maximum number of refused statements in one run; the rest waits for the next run. */
const MAX_REFUSED = 64;
/** Gaps up to this size are cheaper to compute than to leave out. */
const GAP_SECONDS = 60;
const WRITE_EVERY_MICRO = 60_000_000;
/** Margin, because clocks of aggregators differ and maintenance does not run all the time. */
const TOLERANCE_MICRO = 3_600_000_000;

/** Whether `touched_minutes` still contains everything that was touched after this time. */
function isFresh(positionAtUnixMicro: number | null, now: number): boolean {
  if (positionAtUnixMicro === null) return false;
  const ageMicro = now - positionAtUnixMicro;
  return ageMicro > -TOLERANCE_MICRO && ageMicro < HOUSEKEEPING.touchedMinutesMs * 1000 - TOLERANCE_MICRO;
}

/** Refused because of the data: a retry would be refused, too. */
function isRefused(error: unknown): error is SqlError {
  return error instanceof SqlError && error.kind === 'statement';
}
