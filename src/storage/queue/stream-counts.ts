import type { CollectorRow, QueueTables } from './queue-tables.ts';

/**
 * The number of streams of each collector in the ledger. A row outlives its stream by 30 days, so a collector
 * that creates streams without end would fill the disk and slow down the start.
 */
export class StreamCounts {
  readonly #tables: Pick<QueueTables, 'collectors'>;
  readonly #limit: number;

  constructor(tables: Pick<QueueTables, 'collectors'>, limit: number) {
    this.#tables = tables;
    this.#limit = limit;
  }

  get refusal(): string {
    return `the collector has ${this.#limit} streams, the limit; the aggregator forgets a stream 30 days after its end`;
  }

  /** Whether `more` streams of the collector fit. */
  hasRoom(collectorId: string, more = 1): boolean {
    return this.of(collectorId) + more <= this.#limit;
  }

  of(collectorId: string): number {
    return this.#row(collectorId).streams;
  }

  /** Only inside a change. */
  add(collectorId: string, streams: number): void {
    const count = Math.max(0, this.of(collectorId) + streams);
    if (count > 0) this.#tables.collectors.put(collectorId, { streams: count });
    else this.#tables.collectors.remove(collectorId);
  }

  #row(collectorId: string): CollectorRow {
    return this.#tables.collectors.get(collectorId) ?? { streams: 0 };
  }
}
