import type { Span } from './spans.ts';

/**
 * The buckets of a metric that the database cannot compute, the newest 100. They have a point without a
 * value.
 */
export class SetAsideBuckets {
  #buckets: ReadonlyMap<number, string>;

  constructor(buckets: readonly SetAsideBucket[] = []) {
    this.#buckets = new Map(buckets.map(({ bucket, reason }) => [bucket, reason]));
  }

  add(bucket: number, reason: string): void {
    const all = [...this.#buckets, [bucket, reason.slice(0, MAX_REASON)] as const];
    this.#buckets = new Map(all.toSorted(([a], [b]) => b - a).slice(0, MAX_BUCKETS));
  }

  /** Removes buckets that were computed after all. */
  remove(spans: readonly Span[]): void {
    this.#buckets = new Map(this.without(spans).map(({ bucket, reason }) => [bucket, reason]));
  }

  without(spans: readonly Span[]): readonly SetAsideBucket[] {
    const isComputed = (bucket: number) => spans.some(({ from, to }) => bucket >= from && bucket < to);
    return [...this.#buckets]
      .map(([bucket, reason]) => ({ bucket, reason }))
      .filter(({ bucket }) => !isComputed(bucket));
  }

  /** The reason why no bucket of a span has a value, if all of them are set aside. */
  problemOf({ from, to }: Span, periodSeconds: number): string | undefined {
    let problem: string | undefined;
    for (let bucket = from; bucket < to; bucket += periodSeconds) {
      problem = this.#buckets.get(bucket);
      if (problem === undefined) return undefined;
    }
    return problem;
  }
}

export interface SetAsideBucket {
  /** Start of the bucket, in seconds since 1970. */
  readonly bucket: number;
  /** The message of the database. */
  readonly reason: string;
}

const MAX_BUCKETS = 100;
const MAX_REASON = 200;
