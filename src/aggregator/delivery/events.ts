import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Amount } from '../../records/amount.ts';
import type { FailureStreak } from './failure-streak.ts';

/** Logs and counts the events of one emitter's delivery. */
export interface DeliveryEvents {
  /** Flushed by the emitter. */
  delivered(amount: Amount & { readonly batches: number }): void;
  failed(failure: { reason: string; failures: number; delayMs: number }): void;
  /** Delivery began to hold. */
  held(reason: string): void;
  holding(isHolding: boolean): void;
  recovered(past: FailureStreak): void;
  deadLettered(amount: Amount, reason: string): void;
  rejectedAgain(id: string, reason: string): void;
  replayFailed(id: string, reason: string, delayMs: number): void;
  discarded(amount: Amount, batchId: string, reason: string): void;
  /** Batches since the last flush are emitted again. */
  rewound(reason: string): void;
  /** The queue dropped undelivered entries (`drop-oldest`). */
  overtaken(): void;
  queueUnreadable(error: unknown): void;
  deadLetterUnreadable(id: string, error: unknown): void;
  commitFailed(error: unknown, delayMs: number): void;
  broken(error: unknown): void;
}

/** One set of metrics for all emitters of a registry; created once. */
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
    retries: counter('aggregator_emitter_retries_total', 'Failed attempts that are retried.'),
    rejected: counter('aggregator_emitter_rejected_records_total', 'Records that became dead letters.'),
    discarded: counter(
      'aggregator_emitter_discarded_records_total',
      'Records discarded after the last retry.',
    ),
    commitFailures: counter('aggregator_emitter_commit_failures_total', 'Failed commits of the queue.'),
    holding:
      (registry.getSingleMetric('aggregator_emitter_holding') as Gauge<'emitter'> | undefined) ??
      new Gauge({
        name: 'aggregator_emitter_holding',
        help: '1 while the retries are used up and records stay queued.',
        labelNames,
        registers,
      }),
  };
}

export function createDeliveryEvents(logger: Logger, registry: Registry, emitter: string): DeliveryEvents {
  const metrics = deliveryMetrics(registry);
  // Bound once: a label lookup for each batch is expensive.
  const [records, bytes, batches] = [metrics.records, metrics.bytes, metrics.batches].map((counter) =>
    counter.labels(emitter),
  ) as [Counter.Internal, Counter.Internal, Counter.Internal];
  const rejected = metrics.rejected.labels(emitter);
  const discarded = metrics.discarded.labels(emitter);
  const retries = metrics.retries.labels(emitter);
  const commitFailures = metrics.commitFailures.labels(emitter);
  const holding = metrics.holding.labels(emitter);
  holding.set(0);
  for (const counter of [records, bytes, batches, rejected, discarded, retries, commitFailures])
    counter.inc(0);
  return {
    delivered: (amount) => {
      records.inc(amount.records);
      bytes.inc(amount.bytes);
      batches.inc(amount.batches);
    },
    failed: (failure) => {
      retries.inc();
      logger.warn({ ...failure }, 'Cannot deliver a batch; trying again');
    },
    held: (reason) => logger.error({ reason }, 'Delivery is stalled; records stay queued'),
    holding: (isHolding) => holding.set(isHolding ? 1 : 0),
    recovered: ({ failures, reason }) => logger.info({ failures, reason }, 'Delivery recovered'),
    deadLettered: (amount, reason) => {
      rejected.inc(amount.records);
      logger.error({ ...amount, reason }, 'Stored rejected records as dead letters');
    },
    rejectedAgain: (id, reason) =>
      logger.warn({ id, reason }, 'A replayed dead letter was rejected again; keeping it'),
    replayFailed: (id, reason, delayMs) =>
      logger.warn({ id, reason, delayMs }, 'Cannot deliver a replayed dead letter; trying again'),
    discarded: (amount, batchId, reason) => {
      discarded.inc(amount.records);
      logger.error({ batchId, ...amount, reason }, 'Discarded a batch after the last retry');
    },
    rewound: (reason) => logger.warn({ reason }, 'Emitting unflushed batches again, one by one'),
    overtaken: () => logger.error('The queue dropped undelivered records of this emitter'),
    queueUnreadable: (error) => logger.error({ err: error }, 'Cannot read the queue'),
    deadLetterUnreadable: (id, error) =>
      logger.error({ id, err: error }, 'Cannot read a dead letter; its replay is postponed'),
    commitFailed: (error, delayMs) => {
      commitFailures.inc();
      logger.error({ err: error, delayMs }, 'Cannot commit delivered records; trying again');
    },
    broken: (error) =>
      logger.fatal(
        { err: error },
        `Internal error: delivery stopped: ${error instanceof Error ? error.message : String(error)}`,
      ),
  };
}
