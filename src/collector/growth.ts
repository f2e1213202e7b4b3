import type { Position } from '../records/position.ts';

const MAX_SAMPLES = 32;

/** When a stream had which size, in a few samples: tells how long it has rested, and how old unaccepted bytes are. */
export class Growth {
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

  restedMs(nowMs: number): number {
    return nowMs - this.#sinceMs;
  }

  /** It has this size now. */
  saw(sizeBytes: Position, nowMs: number): void {
    if (sizeBytes === this.#sizeBytes) return;
    if (sizeBytes < this.#sizeBytes) this.#samples = [];
    this.#sizeBytes = sizeBytes;
    this.#sinceMs = nowMs;
    this.#sample(nowMs);
  }

  /** How long the first byte behind `accepted` has been there, as far as was seen; undefined when there is none. */
  ageOfRestMs(accepted: Position, nowMs: number): number | undefined {
    while ((this.#samples[0]?.sizeBytes ?? Number.POSITIVE_INFINITY) <= accepted) this.#samples.shift();
    const oldest = this.#samples[0];
    return oldest === undefined ? undefined : nowMs - oldest.atMs;
  }

  #sample(atMs: number): void {
    this.#samples.push({ sizeBytes: this.#sizeBytes, atMs });
    // The oldest is kept: it is what the age is told from until it is accepted.
    if (this.#samples.length > MAX_SAMPLES) this.#samples.splice(MAX_SAMPLES / 2, 1);
  }
}
