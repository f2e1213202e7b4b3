import type { Check } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';
import { type PositionMark, REMEMBERED_CHECKS } from '../files/file-checkpoint.ts';

/** Above this number of ends of unaccepted batches, every second one is removed. */
const MAX_UNACCEPTED = 2048;

/** Shared by all streams without such positions. */
const NONE: ReadonlySet<Position> = new Set();

/**
 * The evidence for the positions of a stream: for the last accepted batches, which the checkpoint keeps, and
 * for the batches that are not accepted yet.
 *
 * For the last batch it also keeps some positions before the end (`before`): a program that overwrites the
 * end of its file, a closing tag for example, does not change the bytes before them.
 */
export class PositionMarks {
  /** Ascending, never empty. The last one is the end of the contiguous accepted bytes. */
  #accepted: PositionMark[];
  /** Ascending, all after the accepted ones. */
  #unaccepted: PositionMark[] = [];
  /** The positions within the last batch. */
  #inside: ReadonlySet<Position> = NONE;

  constructor(accepted: readonly [PositionMark, ...PositionMark[]]) {
    this.#accepted = [...accepted];
  }

  get kept(): readonly PositionMark[] {
    return this.#accepted;
  }

  get accepted(): PositionMark {
    const last = this.#accepted.at(-1);
    if (last === undefined) throw new Error('Internal error: a stream has no accepted position');
    return last;
  }

  /** The end of what was read, accepted or not. */
  get read(): PositionMark {
    return this.#unaccepted.at(-1) ?? this.accepted;
  }

  checkAt(position: Position): Check | undefined {
    return this.#at(position)?.[1];
  }

  crcAt(position: Position): number | undefined {
    return this.#at(position)?.[2];
  }

  /** The highest mark with a CRC-32 that is not after the position. */
  nearestWithCrc(position: Position): readonly [position: Position, crc32: number] | undefined {
    const isUsable = (mark: PositionMark) => mark[0] <= position && mark[2] !== undefined;
    const mark = this.#unaccepted.findLast(isUsable) ?? this.#accepted.findLast(isUsable);
    return mark?.[2] === undefined ? undefined : [mark[0], mark[2]];
  }

  /** `before`: more positions of the same batch, ascending. */
  passed(position: Position, check: Check, crc32?: number, before: readonly PositionMark[] = []): void {
    if (position <= this.read[0]) return;
    this.#forgetInside();
    const inside = before.filter((mark) => mark[0] > this.read[0] && mark[0] < position);
    this.#inside = inside.length === 0 ? NONE : new Set(inside.map((mark) => mark[0]));
    this.#unaccepted.push(...inside, crc32 === undefined ? [position, check] : [position, check, crc32]);
    if (this.#unaccepted.length > MAX_UNACCEPTED) {
      const newest = this.#unaccepted.length - 1;
      this.#unaccepted = this.#unaccepted.filter((_, index) => index % 2 === 1 || index === newest);
    }
  }

  /** All bytes before `end` are accepted. True when this is news. */
  accept(end: Position): boolean {
    let count = 0;
    for (const [position] of this.#unaccepted) {
      if (position > end) break;
      count++;
    }
    if (count === 0) return false;
    this.#keep(...this.#unaccepted.splice(0, count));
    return true;
  }

  /** Reading restarts at the accepted position, or at a later one that is found to be accepted. */
  restartAt([position, check, crc32]: PositionMark): void {
    this.#unaccepted = [];
    if (position > this.accepted[0]) {
      this.#keep(crc32 === undefined ? [position, check] : [position, check, crc32]);
    }
  }

  /** The CRC-32 of the accepted position was computed later. */
  complete(crc32: number): void {
    const [position, check] = this.accepted;
    this.#accepted.splice(-1, 1, [position, check, crc32]);
  }

  #at(position: Position): PositionMark | undefined {
    const isThere = (mark: PositionMark) => mark[0] === position;
    return this.#unaccepted.findLast(isThere) ?? this.#accepted.findLast(isThere);
  }

  #keep(...marks: PositionMark[]): void {
    this.#accepted.push(...marks);
    const ends = this.#accepted.filter((mark) => !this.#inside.has(mark[0]));
    const oldest = ends.at(-REMEMBERED_CHECKS)?.[0] ?? 0;
    // `slice` removes the reserve of an array that has grown: there may be 10,000 of these.
    this.#accepted = this.#accepted.filter((mark) => mark[0] >= oldest).slice();
    if (this.#unaccepted.length === 0) this.#unaccepted = [];
  }

  #forgetInside(): void {
    if (this.#inside.size === 0) return;
    const last = this.accepted;
    const isKept = (mark: PositionMark) => mark === last || !this.#inside.has(mark[0]);
    this.#accepted = this.#accepted.filter(isKept);
    this.#unaccepted = this.#unaccepted.filter(isKept);
  }
}
