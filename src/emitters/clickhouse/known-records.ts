import type { Position, Range } from '../../records/position.ts';
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
 * uncertain, however they are cut into batches now. One question for each stream is enough: it finds the end of what the
 * process before has stored of it, and the records after this end are certain.
 */
export class KnownRecords {
  readonly #stored = new Map<StreamId, Ranges>();
  readonly #uncertain = new Map<StreamId, Ranges>();
  /** The stored ones and those that were cut since the last result of a flush, of the streams of the latter. */
  readonly #seen = new Map<StreamId, Ranges>();
  /** The ends of what the process before has stored of a stream, while its records are uncertain. */
  readonly #ends = new Map<StreamId, Position>();
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

  /** The pieces that may be in the table. */
  uncertainOf(pieces: readonly RecordBatch[]): readonly RecordBatch[] {
    return pieces.filter(
      (piece) =>
        (this.#uncertainBytes > 0 && !(piece.start >= (this.#ends.get(piece.stream) ?? Number.NaN))) ||
        this.#mayHaveFailed(piece),
    );
  }

  /** The table has no record of the streams at these positions and later ones, as far as other processes stored them. */
  found(ends: ReadonlyMap<StreamId, Position>): void {
    if (this.#uncertainBytes === 0) return;
    for (const [stream, end] of ends) {
      this.#ends.delete(stream);
      this.#ends.set(stream, end);
    }
    forgetFirst(this.#ends);
  }

  /** A flush has stored these records. */
  stored(ranges: readonly StreamRange[], bytes: number): void {
    this.#seen.clear();
    this.#uncertainBytes = Math.max(0, this.#uncertainBytes - bytes);
    if (this.#uncertainBytes === 0) this.#ends.clear();
    for (const { stream, start, end } of ranges) {
      const known = addRange(this.#stored.get(stream) ?? NO_RANGES, { start, end });
      // Moves the stream to the end of the map: the first ones are forgotten first.
      this.#stored.delete(stream);
      this.#stored.set(stream, known);
      this.#resolve(stream, { start, end });
    }
    forgetFirst(this.#stored);
  }

  /** A flush of these records has failed. */
  failed(ranges: readonly StreamRange[]): void {
    this.#seen.clear();
    for (const { stream, start, end } of ranges)
      this.#uncertain.set(stream, addRange(this.#uncertain.get(stream) ?? NO_RANGES, { start, end }));
  }

  #mayHaveFailed(piece: RecordBatch): boolean {
    const range = { start: piece.start, end: endOf(piece) };
    const [part, ...more] = outside(range, this.#uncertain.get(piece.stream) ?? NO_RANGES);
    return part === undefined || more.length > 0 || part.start !== range.start || part.end !== range.end;
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

function forgetFirst(streams: Map<StreamId, unknown>): void {
  for (const stream of streams.keys()) {
    if (streams.size <= MAX_STREAMS) break;
    streams.delete(stream);
  }
}
