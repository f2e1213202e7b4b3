import type { Clock } from '../../runtime/clock.ts';
import { FillRate } from '../../storage/fill-rate.ts';
import type { Notifier } from './notifier.ts';

const PAGE_AT = 0.8;
/** Lower, so that a queue around the mark does not open and close incidents all day. */
const OVER_AT = 0.7;

export interface QueueReading {
  /** Bytes on disk. */
  readonly diskBytes: number;
  /** What waits for each emitter. */
  readonly waiting: readonly { readonly emitter: string; readonly bytes: number }[];
}

/** Pages when the queue is 80 % full: which emitter is furthest behind, and how much time is left. */
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

  /** To be called now and then, every ten seconds or so. */
  observe({ diskBytes, waiting }: QueueReading): void {
    const bytesPerMs = this.#fillRate.sample(diskBytes);
    const share = diskBytes / this.#maxBytes;
    if (share < OVER_AT) return this.#over(waiting);
    const [furthest] = [...waiting].sort((a, b) => b.bytes - a.bytes);
    if (share < PAGE_AT || furthest === undefined) return;
    const left =
      bytesPerMs > 0 ? ` and will be full in ${duration((this.#maxBytes - diskBytes) / bytesPerMs)}` : '';
    this.#paged.add(furthest.emitter);
    this.#notifier.trigger(
      { emitter: furthest.emitter, kind: 'queue' },
      {
        reason: `The queue is ${Math.floor(share * 100)} % full${left}; emitter ${furthest.emitter} is furthest behind, by ${furthest.bytes} bytes.`,
        records: 0,
        bytes: 0,
        attempts: 0,
      },
    );
  }

  /** An incident of an earlier run is closed too: to resolve what is not open does nothing. */
  #over(waiting: QueueReading['waiting']): void {
    for (const { emitter } of waiting) this.#paged.add(emitter);
    for (const emitter of this.#paged) this.#notifier.resolve({ emitter, kind: 'queue' });
    this.#paged.clear();
  }
}

function duration(ms: number): string {
  const minutes = Math.max(Math.round(ms / 60_000), 1);
  if (minutes < 60) return `about ${minutes} min`;
  const hours = minutes / 60;
  return hours < 48 ? `about ${Math.round(hours)} h` : `about ${Math.round(hours / 24)} days`;
}
