import type { GroupLimits } from '../../emitters/emitter.ts';
import type { Batch } from '../../records/batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Amount, CursorPoint, DeadLetterId, Json, NewDeadLetter } from '../../storage/queue-contract.ts';
import type { PlacedBatch, PlacedDeadLetter } from './placed-batch.ts';
import type { Replay } from './replays.ts';

/** A commit for every batch of 1,000 records would cost four fifths of the speed. */
const GROUP_LIMITS: GroupLimits = { bytes: 8 * 1024 * 1024, ms: 100 };

/** Records given up, and where they began. */
export interface PlacedAmount extends Amount {
  readonly at: CursorPoint;
  readonly reason: string;
}

/** What one flush and one commit make lasting, together. */
export interface Settlement {
  /** How far the queue is settled: everything before is delivered, a dead letter, or given up. */
  readonly point: CursorPoint;
  readonly state?: Json;
  readonly emitted: Amount & { readonly batches: number };
  readonly deadLetters: readonly PlacedDeadLetter[];
  readonly discarded: readonly PlacedAmount[];
  readonly replayed: readonly DeadLetterId[];
  /** Replays that were rejected again, with the new reason. */
  readonly rejectedAgain: readonly NewDeadLetter[];
}

/**
 * What has been settled since the last flush.
 *
 *     begin                     trusted             end
 *       | delivered | delivered |  rejected alone  |
 *
 * Records that were rejected alone are under suspicion until something is delivered after them: perhaps it is not they,
 * but the destination. `trusted` is how far one can go back without taking back what the emitter holds.
 */
export class Group {
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
  readonly #deadLetters: PlacedDeadLetter[] = [];
  readonly #discarded: PlacedAmount[] = [];
  readonly #replayed: DeadLetterId[] = [];
  readonly #rejectedAgain: NewDeadLetter[] = [];
  #trusted: CursorPoint;
  #trustedDeadLetters = 0;

  constructor(begin: CursorPoint, clock: Clock, limits = GROUP_LIMITS) {
    this.begin = begin;
    this.#clock = clock;
    this.#limits = limits;
    this.#point = begin;
    this.#trusted = begin;
  }

  /** How far the queue is settled. */
  get end(): CursorPoint {
    return this.#point;
  }

  /** The emitter holds something that wants a flush. */
  get isEmitted(): boolean {
    return this.#batches > 0;
  }

  get isEmpty(): boolean {
    return this.#startedMs === undefined;
  }

  /** Whatever it is that has been settled. */
  get isDue(): boolean {
    if (this.#startedMs === undefined) return false;
    return (
      this.#bytes + this.#deadLetterBytes >= this.#limits.bytes ||
      this.#clock.monotonicMs() - this.#startedMs >= this.#limits.ms
    );
  }

  get hasSuspects(): boolean {
    return this.#deadLetters.length > this.#trustedDeadLetters;
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

  delivered(placed: PlacedBatch): void {
    this.#count(placed.batch);
    this.#oldestAcceptedTimeUnixNano ??= placed.acceptedTimeUnixNano;
    this.passed(placed);
  }

  /** Nothing of it is left to be emitted. */
  passed(placed: PlacedBatch): void {
    this.#settle(placed, placed.settled);
    this.#trusted = placed.end;
    this.#trustedDeadLetters = this.#deadLetters.length;
  }

  /** A record that was rejected alone. */
  suspected(placed: PlacedBatch, letters: readonly PlacedDeadLetter[]): void {
    this.#settle(placed, [...placed.settled, ...letters]);
  }

  discarded(placed: PlacedBatch, reason: string): void {
    const { recordCount, byteCount } = placed.batch;
    this.#discarded.push({ at: placed.begin, records: recordCount, bytes: byteCount, reason });
    this.passed(placed);
  }

  replayed({ id, batch }: Replay): void {
    this.#count(batch);
    this.#replayed.push(id);
  }

  rejectedAgain({ batch }: Replay, reason: string): void {
    this.#touch();
    for (const records of batch.slices) this.#rejectedAgain.push({ records, reason });
  }

  /** Takes back the dead letters under suspicion; answers where to go on. */
  withdrawSuspects(): CursorPoint {
    for (const { letter } of this.#deadLetters.splice(this.#trustedDeadLetters)) {
      this.#deadLetterBytes -= letter.records.data.length;
    }
    this.#point = this.#trusted;
    return this.#point;
  }

  /** What is to be committed, with the state that the flush answered. */
  settlement(state: Json | undefined): Settlement {
    return {
      point: this.#point,
      ...(state !== undefined && { state }),
      emitted: { batches: this.#batches, records: this.#records, bytes: this.#bytes },
      deadLetters: this.#deadLetters,
      discarded: this.#discarded,
      replayed: this.#replayed,
      rejectedAgain: this.#rejectedAgain,
    };
  }

  #settle(placed: PlacedBatch, letters: readonly PlacedDeadLetter[]): void {
    this.#touch();
    this.#point = placed.end;
    for (const dead of letters) {
      this.#deadLetters.push(dead);
      this.#deadLetterBytes += dead.letter.records.data.length;
    }
  }

  #count({ recordCount, byteCount }: Batch): void {
    this.#touch();
    this.#batches++;
    this.#records += recordCount;
    this.#bytes += byteCount;
  }

  #touch(): void {
    this.#startedMs ??= this.#clock.monotonicMs();
  }
}
