import type { Logger } from 'pino';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Amount } from '../../storage/queue-contract.ts';
import type { TroubleReport } from './trouble.ts';

/** What happens between the queue and one emitter, logged and counted in one place. */
export interface DeliveryEvents {
  /** One call of `emit`, whatever came of it. */
  attempted(durationSeconds: number): void;
  /** Flushed by the emitter. */
  delivered(amount: Amount & { readonly batches: number }): void;
  failed(failure: { reason: string; failures: number; delayMs: number }): void;
  held(reason: string): void;
  recovered(past: TroubleReport): void;
  deadLettered(amount: Amount, reason: string): void;
  rejectedAgain(id: string, reason: string): void;
  replayFailed(id: string, reason: string, delayMs: number): void;
  discarded(amount: Amount, batchId: string, reason: string): void;
  /** What the emitter took since its last flush is to be emitted again. */
  wentBack(reason: string): void;
  /** Entries that were not delivered are gone from the queue (`drop-oldest`). */
  overtaken(): void;
  emitterThrew(error: unknown): void;
  queueUnreadable(error: unknown): void;
  deadLetterUnreadable(id: string, error: unknown): void;
  commitFailed(error: unknown, delayMs: number): void;
  broken(error: unknown): void;
}

/** One set of metrics for all emitters of a registry; made once, however many ask. */
function deliveryMetrics(registry: Registry) {
  const labelNames = ['emitter'] as const;
  const registers = [registry];
  const counter = (name: string, help: string) =>
    (registry.getSingleMetric(name) as Counter<'emitter'> | undefined) ??
    new Counter({ name, help, labelNames, registers });
  return {
    records: counter('aggregator_emitter_records_total', 'Records delivered.'),
    bytes: counter('aggregator_emitter_bytes_total', 'Record bytes delivered.'),
    batches: counter('aggregator_emitter_batches_total', 'Batches delivered.'),
    retries: counter('aggregator_emitter_retries_total', 'Attempts that failed and are made again.'),
    rejected: counter('aggregator_emitter_rejected_records_total', 'Records that became dead letters.'),
    discarded: counter(
      'aggregator_emitter_discarded_records_total',
      'Records given up after the last retry.',
    ),
    commitFailures: counter(
      'aggregator_emitter_commit_failures_total',
      'Commits that the queue could not make.',
    ),
    duration:
      (registry.getSingleMetric('aggregator_emitter_delivery_duration_seconds') as
        | Histogram<'emitter'>
        | undefined) ??
      new Histogram({
        name: 'aggregator_emitter_delivery_duration_seconds',
        help: 'How long the emitter took for a batch.',
        labelNames,
        buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
        registers,
      }),
    holding:
      (registry.getSingleMetric('aggregator_emitter_holding') as Gauge<'emitter'> | undefined) ??
      new Gauge({
        name: 'aggregator_emitter_holding',
        help: '1 while the retries are used up and the queue holds the data.',
        labelNames,
        registers,
      }),
  };
}

export function createDeliveryEvents(logger: Logger, registry: Registry, emitter: string): DeliveryEvents {
  const metrics = deliveryMetrics(registry);
  // Bound once: looking a label up for every batch is a price.
  const [records, bytes, batches] = [metrics.records, metrics.bytes, metrics.batches].map((counter) =>
    counter.labels(emitter),
  ) as [Counter.Internal, Counter.Internal, Counter.Internal];
  const rejected = metrics.rejected.labels(emitter);
  const discarded = metrics.discarded.labels(emitter);
  const retries = metrics.retries.labels(emitter);
  const commitFailures = metrics.commitFailures.labels(emitter);
  const duration = metrics.duration.labels(emitter);
  const holding = metrics.holding.labels(emitter);
  holding.set(0);
  let isHolding = false;
  for (const counter of [records, bytes, batches, rejected, discarded, retries, commitFailures])
    counter.inc(0);
  return {
    attempted: (durationSeconds) => duration.observe(durationSeconds),
    delivered: (amount) => {
      records.inc(amount.records);
      bytes.inc(amount.bytes);
      batches.inc(amount.batches);
    },
    failed: (failure) => {
      retries.inc();
      logger.warn({ ...failure }, 'A batch could not be delivered; it is tried again.');
    },
    held: (reason) => {
      if (isHolding) return;
      isHolding = true;
      holding.set(1);
      logger.error({ reason }, 'Delivery does not get on; the queue holds the data.');
    },
    recovered: ({ failures, reason }) => {
      isHolding = false;
      holding.set(0);
      logger.info({ failures, reason }, 'Delivery works again.');
    },
    deadLettered: (amount, reason) => {
      rejected.inc(amount.records);
      logger.error({ ...amount, reason }, 'Records were set aside as dead letters.');
    },
    rejectedAgain: (id, reason) =>
      logger.warn({ id, reason }, 'A replayed dead letter was rejected again; it stays.'),
    replayFailed: (id, reason, delayMs) =>
      logger.warn({ id, reason, delayMs }, 'A replayed dead letter could not be delivered yet.'),
    discarded: (amount, batchId, reason) => {
      discarded.inc(amount.records);
      logger.error({ batchId, ...amount, reason }, 'A batch was given up after the last retry.');
    },
    wentBack: (reason) => logger.warn({ reason }, 'What was not flushed is emitted again, batch by batch.'),
    overtaken: () => logger.error('The queue has dropped records that this emitter had not delivered.'),
    emitterThrew: (error) => logger.error({ err: error }, 'The emitter threw, which it never should.'),
    queueUnreadable: (error) => logger.error({ err: error }, 'The queue could not be read.'),
    deadLetterUnreadable: (id, error) =>
      logger.error({ id, err: error }, 'A dead letter could not be read; its replay waits.'),
    commitFailed: (error, delayMs) => {
      commitFailures.inc();
      logger.error({ err: error, delayMs }, 'What was delivered could not be committed.');
    },
    broken: (error) =>
      logger.fatal({ err: error }, 'Delivery to this emitter has stopped by a fault of its own.'),
  };
}
