import type { Position } from './position.ts';

/**
 * The entry of the queue that contains a record. Together with the position of the record in its stream, it is the same
 * each time that the record is emitted, and it ascends in the order of the queue.
 */
export interface QueuePlace {
  /** The number of the entry. Never used twice by a queue. */
  readonly entry: number;
  /** The position of the first record of the entry. */
  readonly start: Position;
}
