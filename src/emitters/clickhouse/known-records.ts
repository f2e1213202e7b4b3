import type { Range } from '../../records/position.ts';
import { addRange, NO_RANGES, outside, type Ranges } from '../../records/ranges.ts';
import { endOf, type RecordBatch, sliceBytes } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';

/**
 * Which records are in the table, as far as this process knows.
 *
 *     stored       it has inserted them, or found them there
 *     uncertain    an earlier INSERT may have stored them: one of this process with an unknown result, or one of the
 *                  process before, after which the cursor was not committed
 *     others       they are not in the table
 *
 * Delivery commits the cursor after each flush. So after a start only the records of the first flush groups are
 * uncertain, however they are cut into batches now.
 */
export class KnownRecords {
  readonly #stored = new Map<StreamId, Ranges>();
  readonly #uncertain = new Map<StreamId, Ranges>();
  /** The stored ones and those that were cut since the last result of a flush, of the streams of the latter. */
  readonly #seen = new Map<StreamId, Ranges>();
  #uncertainBytes: number;

  constructor(uncertainBytes: number) {
    this.#uncertainBytes = uncertainBytes;
  }

  /** The parts of the slices that are not known to be stored, each byte once for each flush. */
  cut(slices: readonly RecordBatch[]): readonly RecordBatch[] {
    const seen = this.#seen;
    return slices.flatMap((slice) => {
      const known = seen.get(slice.stream) ?? this.#stored.get(slice.stream) ?? NO_RANGES;
      const range = { start: slice.start, end: endOf(slice) };
      seen.set(slice.stream, addRange(known, range));
      return outside(range, known).map(({ start, end }) => sliceBytes(slice, start, end));
    });
  }

  areUncertain(pieces: readonly RecordBatch[]): boolean {
    if (this.#uncertainBytes > 0) return true;
    return pieces.some((piece) => {
      const range = { start: piece.start, end: endOf(piece) };
      const [part, ...more] = outside(range, this.#uncertain.get(piece.stream) ?? NO_RANGES);
      return part === undefined || more.length > 0 || part.start !== range.start || part.end !== range.end;
    });
  }

  /** A flush has stored these records. */
  stored(ranges: readonly StreamRange[], bytes: number): void {
    this.#seen.clear();
    this.#uncertainBytes = Math.max(0, this.#uncertainBytes - bytes);
    for (const { stream, start, end } of ranges) {
      const known = addRange(this.#stored.get(stream) ?? NO_RANGES, { start, end });
      // Moves the stream to the end of the map: the first ones are forgotten first.
      this.#stored.delete(stream);
      this.#stored.set(stream, known);
      this.#resolve(stream, { start, end });
    }
    for (const stream of this.#stored.keys()) {
      if (this.#stored.size <= MAX_STREAMS) break;
      this.#stored.delete(stream);
    }
  }

  /** A flush of these records has failed. */
  failed(ranges: readonly StreamRange[]): void {
    this.#seen.clear();
    for (const { stream, start, end } of ranges)
      this.#uncertain.set(stream, addRange(this.#uncertain.get(stream) ?? NO_RANGES, { start, end }));
  }

  #resolve(stream: StreamId, range: Range): void {
    const uncertain = this.#uncertain.get(stream);
    if (uncertain === undefined) return;
    const rest = uncertain.flatMap((each) => outside(each, [range]));
    if (rest.length === 0) this.#uncertain.delete(stream);
    else this.#uncertain.set(stream, rest);
  }
}

export interface StreamRange extends Range {
  readonly stream: StreamId;
}

/** A repetition of records of a forgotten stream is stored twice, and merged by the database. */
const MAX_STREAMS = 8192;
