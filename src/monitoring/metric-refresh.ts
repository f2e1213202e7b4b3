import { HOUSEKEEPING } from '../logstore/schema.ts';
import { sql } from '../logstore/sql/sql.ts';
import { SqlError } from '../logstore/sql/sql-database.ts';
import { numberOf } from '../logstore/sql/sql-row.ts';
import type { StoredMetric } from './definitions.ts';
import type { MetricDefinition } from './metric-definition.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import { PointStatements } from './point-statements.ts';
import { SetAside } from './set-aside.ts';
import { clip, halves, mergeSpans, type Span, takeNewest, wholeBuckets } from './spans.ts';
import { touchedSpans } from './touched-spans.ts';
import { newsSince, parseWatermark, type Watermark } from './watermark.ts';

/**
 * Keeps the points of one metric what they would be if they were computed from the records now.
 *
 *                 startOffset                            endOffset
 *     -----------|--------------------------------------|---------| now
 *      settled    complete: kept up to date              not yet
 *                 ^ since (at the latest)               ^ until
 *
 * A refresh computes buckets again, whole ones: delete, then insert from `log_records`. Which:
 *
 * - those that became complete since the last refresh, `[until then, until now)`;
 * - those that got records since (`touched-spans.ts`);
 * - at the first refresh, or when the last one is so old that `touched_minutes` may have been forgotten: all.
 *
 * **Nothing is missed**, though records arrive meanwhile and each statement may see more than the one before (PostgreSQL,
 * read committed), because the order is always:
 *
 *     1. read `writers`: for each writer its last flush, V
 *     2. read what the flushes in (watermark, V] have touched
 *     3. compute the buckets
 *     4. the watermark becomes V
 *
 * A flush commits its rows, its touched minutes and its number at once, and a writer's flushes one after another: who has
 * read V at 1 sees all rows of the flushes up to V at 2 and 3. Of a later flush 3 may see the rows or not; its number is
 * beyond V, so the next refresh computes its buckets again. To compute twice costs time, and nothing else. A record in a
 * bucket that is not complete is forgotten by 4, and found when the bucket is computed because it became complete.
 *
 * The work of one call is bounded. What is left over waits in memory as `#backlog`, newest first done, while the position
 * goes on; it is written down only with an empty backlog. So whoever takes over after a crash has an older position, and
 * does more, never less.
 *
 * **A bucket that the database cannot compute** (the deviation of huge numbers is beyond a double) is found by halves, and
 * set aside: it gets a point without a value, and the others go on.
 *
 * When records are deleted by age, the points made of them stay: buckets are replaced only while there are records there.
 *
 * Nothing is written while nothing happens, but once a minute the position.
 */
export class MetricRefresh {
  readonly definition: MetricDefinition;
  readonly #database: MonitorDatabase;
  readonly #points: PointStatements;
  #position: Watermark | undefined;
  /** When what the position says was read. */
  #positionAtUnixMicro: number | null;
  #backlog: readonly Span[] = [];
  #writtenAtUnixMicro: number | null;
  #runSeconds: number;
  readonly #setAside: SetAside;

  constructor(stored: StoredMetric, definition: MetricDefinition, database: MonitorDatabase) {
    this.definition = definition;
    this.#database = database;
    this.#points = new PointStatements(database, definition, stored.createdAtUnixMicro);
    const { periodSeconds } = definition;
    const buckets = Math.floor(FIRST_RUN_SECONDS / periodSeconds);
    this.#runSeconds = Math.min(Math.max(buckets, 1), this.#maxBuckets) * periodSeconds;
    this.#position = parseWatermark(stored.watermark);
    this.#setAside = new SetAside(this.#position?.setAside);
    this.#positionAtUnixMicro = stored.refreshedAtUnixMicro;
    this.#writtenAtUnixMicro = stored.refreshedAtUnixMicro;
  }

  /** The newest buckets that are computed without a gap; undefined: none yet. */
  get computed(): Span | undefined {
    if (this.#position === undefined) return undefined;
    const { since, until } = this.#position;
    return { from: this.#backlog.at(-1)?.to ?? since, to: until };
  }

  /** Why no bucket of these has a value. */
  problemOf(span: Span): string | undefined {
    return this.#setAside.problemOf(span, this.definition.periodSeconds);
  }

  /** `flushes`: of `writers`, read just before. Rejects with SqlError; then nothing is forgotten. */
  async refresh(flushes: Watermark['flushes']): Promise<RefreshResult> {
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
      result.fullBuckets += written;
    }
    return { ...result, isBehind: this.#backlog.length > 0 };
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
    // A clock that was far ahead has left a position there.
    if (before === undefined || before.since >= window.to) return all;
    const completed = { from: Math.max(window.from, before.until), to: window.to };
    const since = before.until >= window.from ? Math.min(before.since, window.to) : window.from;
    const news = newsSince(before.flushes, flushes);
    const touched = await touchedSpans(this.#database, news, window);
    if (touched === undefined) return { ...all, since };
    const { periodSeconds } = this.definition;
    const open = touched.map((span) => clip(wholeBuckets(span, periodSeconds), window));
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

  /** Some buckets, and the position after the last of them. How many are full; undefined: not ours. */
  async #compute(now: number): Promise<number | undefined> {
    const { taken, rest } = takeNewest(this.#backlog, MAX_SPANS, this.#runSeconds);
    try {
      const full = await this.#inTime(() => this.#write(taken, rest.length === 0, now));
      if (full !== undefined) this.#backlog = rest;
      return full;
    } catch (error) {
      if (!isRefused(error)) throw error;
      return await this.#computeApart(taken, rest, now);
    }
  }

  /** One transaction. `isLast`: the position is written, too. */
  async #write(taken: readonly Span[], isLast: boolean, now: number): Promise<number | undefined> {
    const statements = taken.flatMap((span) => this.#points.replace(span));
    if (isLast) statements.push(this.#points.writePosition(this.#positionAfter(taken), now));
    statements.push(this.#points.countFull(taken));
    const rows = await this.#database.writeAsHolder(statements, RUN_TIMEOUT_MS);
    if (rows === undefined) return undefined;
    this.#setAside.remove(taken);
    if (isLast) this.#writtenAtUnixMicro = now;
    const full = rows.at(-1)?.[0];
    return full === undefined ? 0 : numberOf(full, 'full_buckets');
  }

  /** Halves what the database refuses, until single buckets are left, which it sets aside. */
  async #computeApart(
    taken: readonly Span[],
    rest: readonly Span[],
    now: number,
  ): Promise<number | undefined> {
    const { periodSeconds } = this.definition;
    const groups: (readonly Span[])[] = [...halves(taken, periodSeconds)];
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
        const parts = halves(group, periodSeconds);
        if (parts.length > 1) groups.push(...parts);
        else if (!(await this.#putAside(group, error.message))) return undefined;
      }
    }
    this.#backlog = mergeSpans([...rest, ...groups.flat()]);
    if (this.#backlog.length > 0) return full;
    return (await this.#write([], true, now)) === undefined ? undefined : full;
  }

  /** Whether the lease is ours. */
  async #putAside([bucket]: readonly Span[], reason: string): Promise<boolean> {
    if (bucket === undefined) return true;
    const rows = await this.#database.writeAsHolder(this.#points.setAside(bucket));
    this.#setAside.add(bucket.from, reason);
    return rows !== undefined;
  }

  /** As text, with what is still set aside after these are computed. */
  #positionAfter(taken: readonly Span[]): string {
    const list = this.#setAside.without(taken);
    return JSON.stringify({ ...this.#position, setAside: list.length === 0 ? undefined : list });
  }

  /** What takes too long is made smaller, and larger again while it does not. */
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

export interface RefreshResult {
  /** Of those computed, how many have as many segments as are kept: there may be more. */
  readonly fullBuckets: number;
  /** There is more to do. */
  readonly isBehind: boolean;
  /** Somebody else holds the lease. */
  readonly isLost: boolean;
}

interface Dirty {
  readonly spans: readonly Span[];
  readonly since: number;
}

/** What one call does: runs, and for each its spans and buckets. */
const MAX_RUNS = 4;
const MAX_SPANS = 20;
const MAX_BUCKETS = 20_000;
const MAX_SEGMENTED_BUCKETS = 1000;
const FIRST_RUN_SECONDS = 3600;
const MAX_RUN_SECONDS = 86_400;
const RUN_TIMEOUT_MS = 20_000;
/** Statements that the database may refuse in one run; what is left waits for the next. */
const MAX_REFUSED = 64;
/** Cheaper computed than left out. */
const GAP_SECONDS = 60;
const WRITE_EVERY_MICRO = 60_000_000;
/** Clocks of aggregators differ, and housekeeping has its own hours. */
const TOLERANCE_MICRO = 3_600_000_000;

/** Whether all that was touched since is still in `touched_minutes`. */
function isFresh(positionAtUnixMicro: number | null, now: number): boolean {
  if (positionAtUnixMicro === null) return false;
  const ageMicro = now - positionAtUnixMicro;
  return ageMicro > -TOLERANCE_MICRO && ageMicro < HOUSEKEEPING.touchedMinutesMs * 1000 - TOLERANCE_MICRO;
}

/** By the data: it would be refused again. */
function isRefused(error: unknown): error is SqlError {
  return error instanceof SqlError && error.kind === 'statement';
}
