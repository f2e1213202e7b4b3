import type { Clock } from '../runtime/clock.ts';
import { EventLimiter } from '../runtime/logging/event-limiter.ts';
import type { DropReason, OutletCounters, OutletEvent, OutletListener } from './outlet.ts';

const EVENT_INTERVAL_MS = 10_000;

type Uncounted = OutletEvent extends infer Event
  ? Event extends OutletEvent
    ? Omit<Event, 'count'>
    : never
  : never;

/** Counts the events of a session's messages and reports them to its listener. */
export class OutletCounting {
  readonly #address: string;
  readonly #events: EventLimiter<Uncounted>;
  readonly #dropped = { full: 0, 'too-large': 0, failed: 0, closed: 0 };
  #sent = 0;
  #sentBytes = 0;
  #retried = 0;
  #connects = 0;
  #failures = 0;

  constructor(address: string, clock: Clock, listener: OutletListener = () => {}) {
    this.#address = address;
    this.#events = new EventLimiter(clock, { intervalMs: EVENT_INTERVAL_MS }, (event, count) =>
      listener({ ...event, count } as OutletEvent),
    );
  }

  sent(messages: number, bytes: number): void {
    this.#sent += messages;
    this.#sentBytes += bytes;
  }

  retried(messages: number): void {
    this.#retried += messages;
  }

  connected(): void {
    this.#connects++;
    this.#events.emit({ kind: 'connected', address: this.#address });
  }

  failed(reason: string): void {
    this.#failures++;
    this.#events.emit({ kind: 'failed', address: this.#address, reason });
  }

  dropped(reason: DropReason, messages: number): void {
    this.#dropped[reason] += messages;
    this.#events.emit({ kind: 'dropped', address: this.#address, reason }, messages);
  }

  /** Reports pending events. */
  flush(): void {
    this.#events.flush();
  }

  counters(queued: { readonly count: number; readonly bytes: number }): OutletCounters {
    return {
      sent: this.#sent,
      sentBytes: this.#sentBytes,
      dropped: { ...this.#dropped },
      retried: this.#retried,
      connects: this.#connects,
      failures: this.#failures,
      queued: queued.count,
      queuedBytes: queued.bytes,
    };
  }
}
