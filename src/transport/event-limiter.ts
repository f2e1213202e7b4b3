import type { Cancel, Clock } from '../runtime/clock.ts';

interface Waiting<Event> {
  readonly cancel: Cancel;
  last: Event | undefined;
  count: number;
}

/**
 * Reports the first event of a kind immediately, and the last of those within the interval at its end, with
 * their number. Ignores errors of the listener.
 */
export class EventLimiter<Event extends { readonly kind: string }> {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #listener: (event: Event & { readonly count: number }) => void;
  readonly #waiting = new Map<string, Waiting<Event>>();

  constructor(
    clock: Clock,
    intervalMs: number,
    listener: (event: Event & { readonly count: number }) => void,
  ) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#listener = listener;
  }

  emit(event: Event, count = 1): void {
    const waiting = this.#waiting.get(event.kind);
    if (waiting !== undefined) {
      waiting.last = event;
      waiting.count += count;
      return;
    }
    this.#wait(event.kind);
    this.#tell(event, count);
  }

  /** Reports pending events. */
  flush(): void {
    for (const [kind, { cancel, last, count }] of this.#waiting) {
      cancel();
      this.#waiting.delete(kind);
      if (last !== undefined) this.#tell(last, count);
    }
  }

  #wait(kind: string): void {
    const cancel = this.#clock.after(this.#intervalMs, () => {
      const waiting = this.#waiting.get(kind);
      this.#waiting.delete(kind);
      if (waiting?.last === undefined) return;
      this.#wait(kind);
      this.#tell(waiting.last, waiting.count);
    });
    this.#waiting.set(kind, { cancel, last: undefined, count: 0 });
  }

  #tell(event: Event, count: number): void {
    try {
      this.#listener({ ...event, count });
    } catch {
      // Errors of the listener are ignored.
    }
  }
}
