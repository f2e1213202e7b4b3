import type { Clock } from '../clock.ts';

/** The topics that are logged and not ended. */
export class Topics {
  readonly #clock: Clock | undefined;
  readonly #logged = new Map<string, { readonly value: string; readonly atMs: number }>();

  constructor(clock: Clock | undefined) {
    this.#clock = clock;
  }

  /** False: it was logged already. */
  begin({ topic, value }: TopicValue, repeatAfterMs = Number.POSITIVE_INFINITY): boolean {
    const last = this.#logged.get(topic);
    const atMs = this.#clock?.monotonicMs() ?? 0;
    if (last?.value === value && atMs - last.atMs < repeatAfterMs) return false;
    if (this.#logged.size >= MAX_TOPICS) this.#logged.clear();
    this.#logged.set(topic, { value, atMs });
    return true;
  }

  has(topic: string): boolean {
    return this.#logged.has(topic);
  }

  /** False: there was nothing to end. */
  end(topic: string): boolean {
    return this.#logged.delete(topic);
  }

  endAll(): void {
    this.#logged.clear();
  }
}

export interface TopicValue {
  readonly topic: string;
  readonly value: string;
}

/** Topics that are remembered. */
const MAX_TOPICS = 10_000;
