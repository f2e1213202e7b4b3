import type { Check } from '../../../records/check.ts';
import type { Position } from '../../../records/position.ts';
import { type PositionMark, REMEMBERED_CHECKS } from './file-checkpoint.ts';

/** More ends of unaccepted batches are not remembered one by one; every second one is forgotten then. */
const MAX_UNACCEPTED = 2048;

/**
 * The checks of the positions a stream has passed: of the last accepted batches, which the checkpoint keeps, and of
 * the batches that are on their way.
 */
export class PositionMarks {
  /** Ascending, never empty. The last one is the end of the contiguous accepted bytes. */
  #accepted: PositionMark[];
  /** Ascending, all behind the accepted ones. */
  #unaccepted: PositionMark[] = [];

  constructor(accepted: readonly [PositionMark, ...PositionMark[]]) {
    this.#accepted = [...accepted];
  }

  get kept(): readonly PositionMark[] {
    return this.#accepted;
  }

  get accepted(): PositionMark {
    const last = this.#accepted.at(-1);
    if (last === undefined) throw new Error('A stream without an accepted position');
    return last;
  }

  /** How far was read, accepted or not. */
  get read(): PositionMark {
    return this.#unaccepted.at(-1) ?? this.accepted;
  }

  checkAt(position: Position): Check | undefined {
    const at = ([candidate]: PositionMark) => candidate === position;
    return (this.#unaccepted.findLast(at) ?? this.#accepted.findLast(at))?.[1];
  }

  passed(position: Position, check: Check): void {
    if (position <= this.read[0]) return;
    this.#unaccepted.push([position, check]);
    if (this.#unaccepted.length > MAX_UNACCEPTED) {
      const newest = this.#unaccepted.length - 1;
      this.#unaccepted = this.#unaccepted.filter((_, index) => index % 2 === 1 || index === newest);
    }
  }

  /** Everything before `end` is accepted. True when that is news. */
  accept(end: Position): boolean {
    let count = 0;
    for (const [position] of this.#unaccepted) {
      if (position > end) break;
      count++;
    }
    if (count === 0) return false;
    this.#accepted = [...this.#accepted, ...this.#unaccepted.splice(0, count)].slice(-REMEMBERED_CHECKS);
    return true;
  }

  /** Reading begins again at the accepted position, or at one behind it that turned out to be accepted. */
  restartAt(position: Position, check: Check): void {
    this.#unaccepted = [];
    if (position > this.accepted[0]) {
      this.#accepted = [...this.#accepted, [position, check] as const].slice(-REMEMBERED_CHECKS);
    }
  }
}
