import type { Counter } from 'prom-client';
import type { Batch } from '../../records/batch.ts';
import type { Emitter, EmitterContext } from '../emitter.ts';
import { emitterCounter } from '../metrics.ts';
import { DELIVERED, type Delivered } from '../outcome.ts';

/** Takes everything and keeps nothing but the counts: for measuring, and for trying out what comes before. */
export class BlackholeEmitter implements Emitter {
  readonly #records: Counter.Internal;
  readonly #bytes: Counter.Internal;

  constructor({ metrics, name }: EmitterContext) {
    this.#records = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_blackhole_records_total',
      help: 'Records that a blackhole emitter took and dropped.',
    });
    this.#bytes = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_blackhole_bytes_total',
      help: 'Bytes that a blackhole emitter took and dropped.',
    });
  }

  async start(): Promise<void> {}

  async emit({ recordCount, byteCount }: Batch): Promise<Delivered> {
    this.#records.inc(recordCount);
    this.#bytes.inc(byteCount);
    return DELIVERED;
  }

  async flush(): Promise<Delivered> {
    return DELIVERED;
  }

  async stop(): Promise<void> {}
}
