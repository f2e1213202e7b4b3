import type { Cancel, Clock } from '../clock.ts';

/**
 * Reports the first events of a kind and party immediately, and of further ones within the interval only the last,
 * at its end, with their number. Ignores errors of the listener.
 */
export class EventLimiter<Event extends LimitedEvent> {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #burst: number;
  readonly #listener: LimitedEventListener<Event>;
  readonly #intervals = new Map<string, Interval<Event>>();

  constructor(
    clock: Clock,
    { intervalMs, burst = 1 }: EventLimiterOptions,
    listener: LimitedEventListener<Event>,
  ) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#burst = burst;
    this.#listener = listener;
  }

  /** `amount` is added to the number of events. */
  emit(event: Event, amount = 1): void {
    const key = this.#keyOf(event);
    const interval = this.#intervals.get(key);
    if (interval === undefined) this.#begin(key);
    else if (interval.reported < this.#burst) interval.reported++;
    else {
      interval.heldBack += amount;
      interval.last = event;
      return;
    }
    this.#report(event, amount, false);
  }

  /** Reports pending events. */
  flush(): void {
    for (const [key, { cancel, last, heldBack }] of this.#intervals) {
      cancel();
      this.#intervals.delete(key);
      if (last !== undefined) this.#report(last, heldBack, true);
    }
  }

  #keyOf({ kind, party = '' }: LimitedEvent): string {
    const key = `${kind}\0${party}`;
    if (this.#intervals.has(key) || this.#intervals.size < MAX_INTERVALS) return key;
    return `${kind}\0${OTHERS}`;
  }

  #begin(key: string): void {
    const cancel = this.#clock.after(this.#intervalMs, () => this.#end(key));
    this.#intervals.set(key, { cancel, reported: 1, heldBack: 0, last: undefined });
  }

  /** The report of events that were held back begins a new interval. */
  #end(key: string): void {
    const interval = this.#intervals.get(key);
    this.#intervals.delete(key);
    if (interval?.last === undefined) return;
    this.#begin(key);
    this.#report(interval.last, interval.heldBack, true);
  }

  #report(event: Event, count: number, wasHeldBack: boolean): void {
    try {
      this.#listener(event, count, wasHeldBack);
    } catch {
      // Errors of the listener are ignored.
    }
  }
}

export interface LimitedEvent {
  readonly kind: string;
  /** The party that causes the event; each has its own limit, up to a number of parties. */
  readonly party?: string;
}

/** `wasHeldBack`: the event stands for all `count` events that were held back. */
export type LimitedEventListener<Event> = (event: Event, count: number, wasHeldBack: boolean) => void;

export interface EventLimiterOptions {
  readonly intervalMs: number;
  /** Number of events of one kind and party before the limit applies. */
  readonly burst?: number;
}

interface Interval<Event> {
  readonly cancel: Cancel;
  reported: number;
  heldBack: number;
  last: Event | undefined;
}

const MAX_INTERVALS = 256;
const OTHERS = 'others';
