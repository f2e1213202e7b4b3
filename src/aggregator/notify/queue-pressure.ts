import type { Clock } from '../../runtime/clock.ts';
import { FillRate } from '../../storage/queue/fill-rate.ts';
import type { Notifier } from './notifier.ts';

/**
 * Pages when the queue is 80 % full: names the emitter with the most undelivered bytes, and the time left.
 */
export class QueuePressure {
  readonly #notifier: Notifier;
  readonly #maxBytes: number;
  readonly #fillRate: FillRate;
  readonly #paged = new Set<string>();

  constructor(notifier: Notifier, maxBytes: number, clock: Clock) {
    this.#notifier = notifier;
    this.#maxBytes = maxBytes;
    this.#fillRate = new FillRate(clock);
  }

  /** Must be called about every ten seconds. */
  observe({ diskBytes, waiting }: QueueReading): void {
    const bytesPerMs = this.#fillRate.sample(diskBytes);
    const share = diskBytes / this.#maxBytes;
    if (share < RESOLVE_AT) return this.#resolveAll(waiting);
    const [largest] = [...waiting].sort((a, b) => b.bytes - a.bytes);
    if (share < PAGE_AT || largest === undefined) return;
    const left =
      bytesPerMs > 0 ? ` and will be full in ${duration((this.#maxBytes - diskBytes) / bytesPerMs)}` : '';
    this.#paged.add(largest.emitter);
    this.#notifier.trigger(
      { emitter: largest.emitter, kind: 'queue' },
      {
        reason: `The queue is ${Math.floor(share * 100)} % full${left}; emitter ${largest.emitter} has the most undelivered data, ${largest.bytes} bytes.`,
        records: 0,
        bytes: 0,
        attempts: 0,
      },
    );
  }

  /** Also resolves incidents of an earlier run: resolving a closed incident does nothing. */
  #resolveAll(waiting: QueueReading['waiting']): void {
    for (const { emitter } of waiting) this.#paged.add(emitter);
    for (const emitter of this.#paged) this.#notifier.resolve({ emitter, kind: 'queue' });
    this.#paged.clear();
  }
}

const PAGE_AT = 0.8;
/** Lower than PAGE_AT, so that a queue near the limit does not open and close incidents repeatedly. */
const RESOLVE_AT = 0.7;

export interface QueueReading {
  /** Bytes on disk. */
  readonly diskBytes: number;
  /** Undelivered bytes of each emitter. */
  readonly waiting: readonly { readonly emitter: string; readonly bytes: number }[];
}

function duration(ms: number): string {
  const minutes = Math.max(Math.round(ms / 60_000), 1);
  if (minutes < 60) return `about ${minutes} min`;
  const hours = minutes / 60;
  return hours < 48 ? `about ${Math.round(hours)} h` : `about ${Math.round(hours / 24)} days`;
}
