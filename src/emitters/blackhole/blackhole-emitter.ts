import type { Counter } from 'prom-client';
import type { Batch } from '../../records/batch.ts';
import type { Emitter, EmitterContext } from '../emitter.ts';
import { emitterCounter } from '../metrics.ts';
import { DELIVERED, type Delivered } from '../outcome.ts';

/** Accepts and discards all records and counts them: for benchmarks, and for testing the stages before it. */
export class BlackholeEmitter implements Emitter {
  readonly #records: Counter.Internal;
  readonly #bytes: Counter.Internal;

  constructor({ metrics, name }: EmitterContext) {
    this.#records = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_blackhole_records_total',
      help: 'Records that a blackhole emitter accepted and discarded.',
    });
    this.#bytes = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_blackhole_bytes_total',
      help: 'Bytes that a blackhole emitter accepted and discarded.',
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
