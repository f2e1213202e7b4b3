import type { Position } from '../records/position.ts';

/**
 * The sizes of a stream over time, in a few samples: the time since the last change, and the age of
 * unaccepted bytes.
 */
export class SizeHistory {
  #sizeBytes: Position;
  #sinceMs: number;
  /** Ascending in both. */
  #samples: { readonly sizeBytes: Position; readonly atMs: number }[] = [];

  constructor(sizeBytes: Position, nowMs: number) {
    this.#sizeBytes = sizeBytes;
    this.#sinceMs = nowMs;
    this.#sample(nowMs);
  }

  get sizeBytes(): Position {
    return this.#sizeBytes;
  }

  idleMs(nowMs: number): number {
    return nowMs - this.#sinceMs;
  }

  /** The stream has this size now. */
  record(sizeBytes: Position, nowMs: number): void {
    if (sizeBytes === this.#sizeBytes) return;
    if (sizeBytes < this.#sizeBytes) this.#samples = [];
    this.#sizeBytes = sizeBytes;
    this.#sinceMs = nowMs;
    this.#sample(nowMs);
  }

  /** Age of the first byte after `accepted`, as far as known; undefined when there is none. */
  remainderAgeMs(accepted: Position, nowMs: number): number | undefined {
    while ((this.#samples[0]?.sizeBytes ?? Number.POSITIVE_INFINITY) <= accepted) this.#samples.shift();
    const oldest = this.#samples[0];
    // An array that has grown keeps its reserve.
    if (oldest === undefined) this.#samples = [];
    return oldest === undefined ? undefined : nowMs - oldest.atMs;
  }

  #sample(atMs: number): void {
    this.#samples.push({ sizeBytes: this.#sizeBytes, atMs });
    // Keeps the oldest sample: it defines the age until it is accepted.
    if (this.#samples.length > MAX_SAMPLES) this.#samples.splice(MAX_SAMPLES / 2, 1);
  }
}

const MAX_SAMPLES = 32;
