import type { Position } from '../../records/position.ts';
import { emptyChecksum, type RunningChecksum } from '../../records/running-checksum.ts';
import type { ChannelRow } from './journal-index.ts';

/** A checksum of the stream's bytes, and the journal position it belongs to. */
export interface PlacedChecksum {
  readonly at: Position;
  readonly value: RunningChecksum;
}

/**
 * The checksums of a channel's stream: one at or before the accepted end, from which every later one can be computed with
 * the entries that are there, and those of the batches that are on their way.
 */
export class ChannelChecksums {
  #base: PlacedChecksum;
  readonly #ends = new Map<Position, RunningChecksum>();

  constructor(base: PlacedChecksum) {
    this.#base = base;
  }

  /** A row without one, or with one of the stream before, makes a checksum begin at the accepted end. */
  static of({ checksum, offset }: ChannelRow, accepted: Position): ChannelChecksums {
    if (checksum === undefined || checksum.at < offset)
      return new ChannelChecksums({ at: accepted, value: emptyChecksum(accepted - offset) });
    const { at, from, crc32 } = checksum;
    return new ChannelChecksums({ at, value: { from, crc32 } });
  }

  get base(): PlacedChecksum {
    return this.#base;
  }

  get row(): NonNullable<ChannelRow['checksum']> {
    return { ...this.#base.value, at: this.#base.at };
  }

  /** The checksum at a position; undefined when it is to be computed. */
  at(position: Position): RunningChecksum | undefined {
    return position === this.#base.at ? this.#base.value : this.#ends.get(position);
  }

  note({ at, value }: PlacedChecksum): void {
    this.#ends.set(at, value);
  }

  /** The bytes before the position are accepted, and will go. */
  accepted(position: Position): void {
    const value = this.#ends.get(position);
    if (value !== undefined) this.#base = { at: position, value };
    for (const end of this.#ends.keys()) if (end <= position) this.#ends.delete(end);
  }

  /** The bytes before this place go; later checksums begin there. */
  rebase(base: PlacedChecksum): void {
    this.#base = base;
  }

  /** The channel goes on as a new stream. */
  restart(at: Position): void {
    this.#ends.clear();
    this.#base = { at, value: emptyChecksum(0) };
  }
}
