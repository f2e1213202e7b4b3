import type { Cancel, Clock } from '../../runtime/clock.ts';
import { DayBlock } from './day-block.ts';

/**
 * Blocks that the server has stored. Their memory is used for the next blocks: new memory for each part costs page faults,
 * and V8 collects garbage each time after some of it.
 *
 * LIMITS. As many blocks as parts are in memory at once, each of at most 64 MiB, and for ten seconds.
 */
export class SpareBlocks {
  readonly #clock: Clock;
  #blocks: DayBlock[] = [];
  #cancel: Cancel = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(): DayBlock {
    return this.#blocks.pop() ?? new DayBlock();
  }

  /** Only after the server has answered: until then, a request may still read from the block. */
  keep(block: DayBlock): void {
    const { capacityBytes } = block;
    if (this.#blocks.length >= MAX_BLOCKS || capacityBytes < MIN_BYTES || capacityBytes > MAX_BYTES) return;
    block.clear();
    this.#blocks.push(block);
    this.#cancel();
    this.#cancel = this.#clock.after(UNUSED_MS, () => this.clear());
  }

  clear(): void {
    this.#cancel();
    this.#blocks = [];
  }
}

const MAX_BLOCKS = 2;
/** New memory for a smaller block is cheap. */
const MIN_BYTES = 1024 * 1024;
const MAX_BYTES = 64 * 1024 * 1024;
const UNUSED_MS = 10_000;
