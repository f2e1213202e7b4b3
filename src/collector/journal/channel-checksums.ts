import type { Position } from '../../records/position.ts';
import { emptyChecksum, type RunningChecksum } from '../../records/running-checksum.ts';
import type { ChannelRow } from './journal-index.ts';

/**
 * The checksums of a channel's stream: one at or before the accepted end, from which later ones can be
 * computed with the remaining entries, and those of the batches that are being sent.
 */
export class ChannelChecksums {
  #base: PositionedChecksum;
  readonly #ends = new Map<Position, RunningChecksum>();

  constructor(base: PositionedChecksum) {
    this.#base = base;
  }

  /**
   * A row without a checksum, or with one of an earlier stream, starts a new checksum at the accepted end.
   */
  static of({ checksum, offset }: ChannelRow, accepted: Position): ChannelChecksums {
    if (checksum === undefined || checksum.at < offset)
      return new ChannelChecksums({ at: accepted, value: emptyChecksum(accepted - offset) });
    const { at, from, crc32 } = checksum;
    return new ChannelChecksums({ at, value: { from, crc32 } });
  }

  get base(): PositionedChecksum {
    return this.#base;
  }

  get row(): NonNullable<ChannelRow['checksum']> {
    return { ...this.#base.value, at: this.#base.at };
  }

  /** The checksum at a position; undefined when it must be computed. */
  at(position: Position): RunningChecksum | undefined {
    return position === this.#base.at ? this.#base.value : this.#ends.get(position);
  }

  note({ at, value }: PositionedChecksum): void {
    this.#ends.set(at, value);
  }

  /** The bytes before the position are accepted, and will be removed. */
  accepted(position: Position): void {
    const value = this.#ends.get(position);
    if (value !== undefined) this.#base = { at: position, value };
    for (const end of this.#ends.keys()) if (end <= position) this.#ends.delete(end);
  }

  /** The bytes before this position are removed; later checksums begin there. */
  rebase(base: PositionedChecksum): void {
    this.#base = base;
  }

  /** The channel continues as a new stream. */
  restart(at: Position): void {
    this.#ends.clear();
    this.#base = { at, value: emptyChecksum(0) };
  }
}

/** A checksum of the stream's bytes, and the journal position it belongs to. */
export interface PositionedChecksum {
  readonly at: Position;
  readonly value: RunningChecksum;
}
