import type { Batch } from '../../records/batch.ts';
import { counter, metricTable } from '../../runtime/events/metric-table.ts';
import { type OpenMetrics, openMetrics } from '../../runtime/events/open-metrics.ts';
import type { Emitter, EmitterContext } from '../emitter.ts';
import { DELIVERED, type Delivered } from '../outcome.ts';

const labels = ['emitter'];

export const BLACKHOLE_METRICS = metricTable('aggregator_emitter_blackhole_', {
  records: counter('records_total', 'Records that a blackhole emitter accepted and discarded', { labels }),
  bytes: counter('bytes_total', 'Bytes that a blackhole emitter accepted and discarded', { labels }),
});

/** Accepts and discards all records and counts them: for benchmarks, and for testing the stages before it. */
export class BlackholeEmitter implements Emitter {
  readonly #metrics: OpenMetrics<typeof BLACKHOLE_METRICS.metrics>;

  constructor({ metrics: registry, name }: EmitterContext) {
    this.#metrics = openMetrics(BLACKHOLE_METRICS, { registry, labels: { emitter: name } });
  }

  async start(): Promise<void> {}

  async emit({ recordCount, byteCount }: Batch): Promise<Delivered> {
    this.#metrics.records.inc(recordCount);
    this.#metrics.bytes.inc(byteCount);
    return DELIVERED;
  }

  async flush(): Promise<Delivered> {
    return DELIVERED;
  }

  async stop(): Promise<void> {}
}
