import type { JournalChannel } from './journal-channel.ts';

/** The callers that wait until all records of a moment are accepted. */
export class Drains {
  #drains: Drain[] = [];

  /** Resolves when everything that is in the index of these channels now, or is answered, is accepted. */
  wait(channels: readonly JournalChannel[]): Promise<void> {
    const ends = new Map(
      channels.map((channel) => [channel, Math.max(channel.indexedEnd, channel.answeredEnd)]),
    );
    return new Promise((resolve) => {
      this.#drains.push({ ends, resolve });
      this.check();
    });
  }

  /** Something was accepted. */
  check(): void {
    if (this.#drains.length === 0) return;
    const drains = this.#drains;
    this.#drains = drains.filter((drain) => !isDrained(drain));
    for (const drain of drains) if (isDrained(drain)) drain.resolve();
  }
}

interface Drain {
  readonly ends: ReadonlyMap<JournalChannel, number>;
  readonly resolve: () => void;
}

function isDrained({ ends }: Drain): boolean {
  return [...ends].every(([channel, end]) => channel.accepted >= end);
}
