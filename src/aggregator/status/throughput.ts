import type { Amount } from '../../records/amount.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { QueueBalance } from '../../storage/queue/queue-contract.ts';

export interface EmitterThroughput {
  /** Delivered. */
  readonly recordsPerSecond: number;
  /** Until its queue is empty; undefined: the queue does not get shorter. */
  readonly catchUpSeconds: number | undefined;
}

/** Rates over about the last minute, from samples of the balance of the queue. */
export class Throughput {
  readonly #clock: Clock;
  /** The oldest first. */
  readonly #samples: Sample[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called every 10 s. */
  sample(balance: QueueBalance): void {
    const atMs = this.#clock.monotonicMs();
    this.#samples.push({ atMs, balance });
    // One sample of at least a minute ago is kept.
    while ((this.#samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs - WINDOW_MS) this.#samples.shift();
  }

  /** Accepted, per second. */
  intake({ accepted }: QueueBalance): Amount {
    const { before, seconds } = this.#since();
    if (before === undefined) return { records: 0, bytes: 0 };
    return {
      records: rate(accepted.records - before.accepted.records, seconds),
      bytes: rate(accepted.bytes - before.accepted.bytes, seconds),
    };
  }

  emitter({ emitters }: QueueBalance, name: string): EmitterThroughput {
    const { before, seconds } = this.#since();
    const now = emitters.find(({ emitter }) => emitter === name);
    const then = before?.emitters.find(({ emitter }) => emitter === name);
    const queued = now?.queued.records ?? 0;
    if (now === undefined || then === undefined) {
      return { recordsPerSecond: 0, catchUpSeconds: queued === 0 ? 0 : undefined };
    }
    const shorter = (then.queued.records - queued) / seconds;
    return {
      recordsPerSecond: rate(now.delivered.records - then.delivered.records, seconds),
      catchUpSeconds: catchUpSeconds(queued, shorter),
    };
  }

  /** The oldest sample and its age; undefined: it is too young for a rate. */
  #since(): { readonly before: QueueBalance | undefined; readonly seconds: number } {
    const [oldest] = this.#samples;
    const seconds = oldest === undefined ? 0 : (this.#clock.monotonicMs() - oldest.atMs) / 1000;
    return { before: seconds < MIN_SECONDS ? undefined : oldest?.balance, seconds };
  }
}

interface Sample {
  readonly atMs: number;
  readonly balance: QueueBalance;
}

const WINDOW_MS = 60_000;
/** In less time, one batch more or less would change the rate too much. */
const MIN_SECONDS = 1;

/** An operator may have discarded records: a rate is never below 0. */
function rate(amount: number, seconds: number): number {
  return Math.max(0, Math.round((amount / seconds) * 10) / 10);
}

function catchUpSeconds(queued: number, shorterPerSecond: number): number | undefined {
  if (queued === 0) return 0;
  return shorterPerSecond > 0 ? Math.ceil(queued / shorterPerSecond) : undefined;
}
