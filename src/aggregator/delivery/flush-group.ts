import type { GroupLimits } from '../../emitters/emitter.ts';
import type { FilteredAmount } from '../../emitters/outcome.ts';
import { type Amount, NOTHING, plus, sumOf } from '../../records/amount.ts';
import type { Batch } from '../../records/batch.ts';
import type { Json } from '../../records/json.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { CursorPoint, DeadLetterId, NewDeadLetter } from '../../storage/queue/queue-contract.ts';
import type { QueuedBatch, QueuedDeadLetter } from './queued-batch.ts';
import type { Replay } from './replays.ts';

/**
 * The results since the last flush.
 *
 *     begin                     confirmed           end
 *       | delivered | delivered |  isolated rejections  |
 *
 * Records that were rejected in isolation are unconfirmed until a later delivery succeeds: the destination
 * may be the cause, not the records. `confirmed` is the earliest position to return to without repeating
 * emitted records.
 */
export class FlushGroup {
  readonly begin: CursorPoint;
  readonly #clock: Clock;
  readonly #limits: GroupLimits;
  #point: CursorPoint;
  #startedMs: number | undefined;
  #oldestAcceptedTimeUnixNano: bigint | undefined;
  #batches = 0;
  #records = 0;
  #bytes = 0;
  #deadLetterBytes = 0;
  readonly #deadLetters: QueuedDeadLetter[] = [];
  readonly #discarded: QueuedAmount[] = [];
  readonly #filtered: AmountAt[] = [];
  #filteredOfReplays = NOTHING;
  readonly #replayed: DeadLetterId[] = [];
  readonly #rejectedAgain: NewDeadLetter[] = [];
  #confirmed: CursorPoint;
  #confirmedDeadLetters = 0;
  #confirmedFiltered = 0;

  constructor(begin: CursorPoint, clock: Clock, limits = GROUP_LIMITS) {
    this.begin = begin;
    this.#clock = clock;
    this.#limits = limits;
    this.#point = begin;
    this.#confirmed = begin;
  }

  /** The position after the last completed record. */
  get end(): CursorPoint {
    return this.#point;
  }

  /** The emitter has records that need a flush. */
  get isEmitted(): boolean {
    return this.#batches > 0;
  }

  get isEmpty(): boolean {
    return this.#startedMs === undefined;
  }

  /** True when the group has reached its limit of bytes or time. */
  get isDue(): boolean {
    if (this.#startedMs === undefined) return false;
    return (
      this.#bytes + this.#deadLetterBytes >= this.#limits.bytes ||
      this.#clock.monotonicMs() - this.#startedMs >= this.#limits.ms
    );
  }

  get hasIsolatedRejections(): boolean {
    return this.#deadLetters.length > this.#confirmedDeadLetters;
  }

  get hasReplayed(): boolean {
    return this.#replayed.length > 0;
  }

  get deadLetterBytes(): number {
    return this.#deadLetterBytes;
  }

  get oldestAcceptedTimeUnixNano(): bigint | undefined {
    return this.#oldestAcceptedTimeUnixNano;
  }

  delivered(queued: QueuedBatch, filtered: readonly FilteredAmount[] = []): void {
    this.#count(queued.batch, sumOf(filtered));
    this.#oldestAcceptedTimeUnixNano ??= queued.acceptedTimeUnixNano;
    this.passed(queued, filtered);
  }

  /** No record of the batch was emitted. Isolated rejections stay unconfirmed. */
  skipped(queued: QueuedBatch, filtered: readonly FilteredAmount[] = []): void {
    this.#filter(queued, filtered);
    this.#settle(queued, queued.deadLetters);
  }

  /** No record of the batch is left to emit. */
  passed(queued: QueuedBatch, filtered: readonly FilteredAmount[] = []): void {
    this.#filter(queued, filtered);
    this.#settle(queued, queued.deadLetters);
    this.#confirmed = queued.end;
    this.#confirmedDeadLetters = this.#deadLetters.length;
    this.#confirmedFiltered = this.#filtered.length;
  }

  /** A record was rejected in isolation. */
  rejectedInIsolation(queued: QueuedBatch, letters: readonly QueuedDeadLetter[]): void {
    this.#settle(queued, [...queued.deadLetters, ...letters]);
  }

  discarded(queued: QueuedBatch, reason: string, filtered: readonly FilteredAmount[] = []): void {
    const { recordCount, byteCount } = queued.batch;
    const { records, bytes } = sumOf(filtered);
    const lost = { records: recordCount - records, bytes: byteCount - bytes };
    if (lost.records > 0) this.#discarded.push({ at: queued.begin, ...lost, reason });
    this.passed(queued, filtered);
  }

  replayed({ id, batch }: Replay, filtered: readonly FilteredAmount[] = []): void {
    this.#count(batch, sumOf(filtered));
    this.#filteredOfReplays = plus(this.#filteredOfReplays, sumOf(filtered));
    this.#replayed.push(id);
  }

  rejectedAgain({ batch }: Replay, reason: string): void {
    this.#touch();
    for (const records of batch.slices) this.#rejectedAgain.push({ records, reason });
  }

  /** Removes the dead letters of unconfirmed rejections; returns the position to continue at. */
  withdrawIsolatedRejections(): CursorPoint {
    for (const { letter } of this.#deadLetters.splice(this.#confirmedDeadLetters)) {
      this.#deadLetterBytes -= letter.records.data.length;
    }
    // Records between the rejections may have been filtered: they are emitted again too.
    this.#filtered.splice(this.#confirmedFiltered);
    this.#point = this.#confirmed;
    return this.#point;
  }

  /** The result to commit, with the state that the flush returned. */
  result(state: Json | undefined): FlushResult {
    return {
      point: this.#point,
      ...(state !== undefined && { state }),
      emitted: { batches: this.#batches, records: this.#records, bytes: this.#bytes },
      deadLetters: this.#deadLetters,
      discarded: this.#discarded,
      filtered: this.#filtered,
      filteredOfReplays: this.#filteredOfReplays,
      replayed: this.#replayed,
      rejectedAgain: this.#rejectedAgain,
    };
  }

  #settle(queued: QueuedBatch, letters: readonly QueuedDeadLetter[]): void {
    this.#touch();
    this.#point = queued.end;
    for (const dead of letters) {
      this.#deadLetters.push(dead);
      this.#deadLetterBytes += dead.letter.records.data.length;
    }
  }

  #filter({ positions, begin }: QueuedBatch, filtered: readonly FilteredAmount[]): void {
    for (const { slice, records, bytes } of filtered)
      this.#filtered.push({ at: positions[slice] ?? begin, records, bytes });
  }

  #count({ recordCount, byteCount }: Batch, filtered: Amount): void {
    this.#touch();
    this.#batches++;
    this.#records += recordCount - filtered.records;
    this.#bytes += byteCount - filtered.bytes;
  }

  #touch(): void {
    this.#startedMs ??= this.#clock.monotonicMs();
  }
}

/** One commit for each batch of 1,000 records would reduce the throughput by four fifths. */
const GROUP_LIMITS: GroupLimits = { bytes: 8 * 1024 * 1024, ms: 100 };

/** Records of one entry of the queue, and a position at or before the first one. */
export interface AmountAt extends Amount {
  readonly at: CursorPoint;
}

/** Discarded records, and the position of the first one. */
export interface QueuedAmount extends AmountAt {
  readonly reason: string;
}

/** Everything that one flush and one commit make durable together. */
export interface FlushResult {
  /** Position in the queue; each record before it is delivered, filtered, a dead letter, or discarded. */
  readonly point: CursorPoint;
  readonly state?: Json;
  readonly emitted: Amount & { readonly batches: number };
  readonly deadLetters: readonly QueuedDeadLetter[];
  readonly discarded: readonly QueuedAmount[];
  readonly filtered: readonly AmountAt[];
  /** Records of replayed dead letters that a filter dropped. */
  readonly filteredOfReplays: Amount;
  readonly replayed: readonly DeadLetterId[];
  /** Replays that were rejected again, with the new reason. */
  readonly rejectedAgain: readonly NewDeadLetter[];
}
