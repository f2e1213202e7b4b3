import { Timer } from '../../runtime/async/timer.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import type { FreeSpace } from '../state/free-space.ts';
import type { QueueEvents } from './events.ts';
import { FillRate } from './fill-rate.ts';
import type { QueueIndex } from './queue-index.ts';

/** Decides whether there is room, and notifies waiting callers of changes. */
export class QueueSpace {
  readonly #parts: QueueSpaceParts;
  readonly #fillRate: FillRate;
  readonly #listeners = new Set<(reason: string | undefined) => void>();
  readonly #waiting: (() => void)[] = [];
  #full = false;
  #stopped: string | undefined;
  readonly #checkTimer: Timer;
  #closed = false;

  constructor(parts: QueueSpaceParts) {
    this.#parts = parts;
    this.#fillRate = new FillRate(parts.clock);
    this.#checkTimer = new Timer(parts.clock, () => void parts.makeRoom());
  }

  /** Why no data is accepted; undefined: there is room. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  get usedBytes(): number {
    const { log, index } = this.#parts;
    return log.bytes + (index.next - index.firstRow) * ROW_BYTES;
  }

  onStopped(listener: (reason: string | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  fullness(): Fullness {
    const { maxBytes } = this.#parts;
    const { usedBytes } = this;
    const bytesPerMs = this.#fillRate.sample(usedBytes);
    return {
      usedBytes,
      maxBytes,
      fraction: usedBytes / maxBytes,
      msUntilFull: bytesPerMs > 0 ? Math.max(0, maxBytes - usedBytes) / bytesPerMs : undefined,
    };
  }

  /** Resolves when there is room, or when the queue is closed. */
  async room(): Promise<void> {
    while (!this.#closed) {
      await this.#dropWhileFull();
      await this.look();
      if (this.#stopped === undefined) return;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Whether there is room now. Unlike `room`, it makes no room and does not wait. */
  async hasRoom(): Promise<boolean> {
    if (this.#closed || this.#isFull()) return false;
    await this.look();
    return this.#stopped === undefined;
  }

  /** Checks the space: after additions and removals, and every second while stopped. */
  async look(): Promise<void> {
    const shortage = await this.#parts.freeSpace.check();
    const { maxBytes } = this.#parts;
    this.#fillRate.sample(this.usedBytes);
    this.#full = this.#isFull();
    this.#setStopped(shortage ?? (this.#full ? `queue is full: ${maxBytes} bytes are used` : undefined));
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  close(): void {
    this.#closed = true;
    this.#checkTimer.cancel();
    this.#listeners.clear();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Once full, it stays full until enough room is free. */
  #isFull(): boolean {
    const { maxBytes } = this.#parts;
    return this.usedBytes >= (this.#full ? maxBytes * RESUME_FRACTION : maxBytes);
  }

  async #dropWhileFull(): Promise<void> {
    const { dropOldest, events } = this.#parts;
    if (dropOldest === undefined) return;
    try {
      while (this.#isFull() && (await dropOldest()));
    } catch (error) {
      events.backgroundWriteFailed({ err: error, what: 'the dropping of the oldest records' });
    }
  }

  #setStopped(reason: string | undefined): void {
    if (this.#closed) return;
    if (reason === undefined) this.#checkTimer.cancel();
    else this.#checkTimer.set(LOOK_AGAIN_MS);
    if (reason === this.#stopped) return;
    // The same shortage with other numbers is not a change.
    const changed = (reason === undefined) !== (this.#stopped === undefined);
    this.#stopped = reason;
    if (!changed) return;
    if (reason === undefined) this.#parts.events.resumed();
    else this.#parts.events.stopped({ reason });
    for (const listener of [...this.#listeners]) listener(reason);
  }
}

/** The size of an entry outside its segment: its row and the pages around it. */
const ROW_BYTES = 512;
/** A full queue accepts data again below this part of its limit. */
const RESUME_FRACTION = 0.95;
const LOOK_AGAIN_MS = 1000;

export interface QueueSpaceParts {
  readonly log: SegmentLog;
  readonly index: QueueIndex;
  readonly freeSpace: FreeSpace;
  readonly clock: Clock;
  readonly events: QueueEvents;
  readonly maxBytes: number;
  /** Removes entries that all emitters have passed, then checks the space. */
  readonly makeRoom: () => Promise<void>;
  /**
   * With `drop-oldest`: drops the oldest segment for the emitter with the lowest cursor; false when there was
   * nothing to drop. undefined with `stop`.
   */
  readonly dropOldest: (() => Promise<boolean>) | undefined;
}

/** The fill level of the queue, for the page at 80 %. */
export interface Fullness {
  readonly usedBytes: number;
  readonly maxBytes: number;
  /** 1: full. */
  readonly fraction: number;
  /** At the rate of the last minutes; undefined while the queue does not grow. */
  readonly msUntilFull: number | undefined;
}
