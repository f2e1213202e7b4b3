import type { Amount } from '../../records/amount.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';

const labels = ['emitter'];

export const DELIVERY_METRICS = metricTable('aggregator_emitter_', {
  records: counter('records_total', 'Records delivered', { labels }),
  bytes: counter('bytes_total', 'Record bytes delivered', { labels }),
  batches: counter('batches_total', 'Batches delivered', { labels }),
  retries: counter('retries_total', 'Failed attempts that are retried', {
    labels,
    alarm: 'rises: a destination fails',
  }),
  rejected: counter('rejected_records_total', 'Records that became dead letters', {
    labels,
    alarm: 'rises: records become dead letters',
  }),
  filtered: counter('filtered_records_total', 'Records dropped by the filter of the emitter', { labels }),
  discarded: counter('discarded_records_total', 'Records discarded after the last retry', { labels }),
  commitFailures: counter('commit_failures_total', 'Failed commits of the queue', { labels }),
  holding: gauge('holding', '1 while the retries are used up and records stay queued', {
    labels,
    alarm: 'is 1: a destination fails',
  }),
});

interface Reason {
  readonly reason: string;
}

interface DeadLetter {
  readonly id: string;
}

/** The events of one emitter's delivery. */
export const DELIVERY_EVENTS = defineEvents(DELIVERY_METRICS, (event) => ({
  /** Flushed by the emitter. */
  delivered: event<Amount & { readonly batches: number }>({
    count: (metrics, { records, bytes, batches }) => {
      metrics.records.inc(records);
      metrics.bytes.inc(bytes);
      metrics.batches.inc(batches);
    },
  }),
  filtered: event<Amount>({ count: ({ filtered }, { records }) => filtered.inc(records) }),
  failed: event<Reason & { readonly failures: number; readonly delayMs: number }>({
    warn: 'Cannot deliver a batch; trying again',
    count: ({ retries }) => retries.inc(),
  }),
  /** Delivery began to hold. */
  held: event<Reason>({ error: 'Delivery is stalled; records stay queued' }),
  holding: event<{ readonly isHolding: boolean }>({
    count: ({ holding }, { isHolding }) => holding.set(isHolding ? 1 : 0),
  }),
  recovered: event<Reason & { readonly failures: number }>({ info: 'Delivery recovered' }),
  deadLettered: event<Amount & Reason>({
    error: 'Stored rejected records as dead letters',
    count: ({ rejected }, { records }) => rejected.inc(records),
  }),
  rejectedAgain: event<DeadLetter & Reason>({
    warn: 'A replayed dead letter was rejected again; keeping it',
  }),
  replayFailed: event<DeadLetter & Reason & { readonly delayMs: number }>({
    warn: 'Cannot deliver a replayed dead letter; trying again',
  }),
  discarded: event<Amount & Reason & { readonly batchId: string }>({
    error: 'Discarded a batch after the last retry',
    count: ({ discarded }, { records }) => discarded.inc(records),
  }),
  /** Batches since the last flush are emitted again. */
  rewound: event<Reason>({ warn: 'Emitting unflushed batches again, one by one' }),
  /** The queue dropped undelivered entries (`drop-oldest`). */
  overtaken: event({ error: 'The queue dropped undelivered records of this emitter' }),
  queueUnreadable: event<{ readonly err: unknown }>({ error: 'Cannot read the queue' }),
  deadLetterUnreadable: event<DeadLetter & { readonly err: unknown }>({
    error: 'Cannot read a dead letter; its replay is postponed',
  }),
  commitFailed: event<{ readonly err: unknown; readonly delayMs: number }>({
    error: 'Cannot commit delivered records; trying again',
    count: ({ commitFailures }) => commitFailures.inc(),
  }),
  broken: event<{ readonly err: unknown }>({
    fatal: ({ err }) => `Internal error: delivery stopped: ${errorMessage(err)}`,
  }),
}));

export type DeliveryEvents = Reports<typeof DELIVERY_EVENTS.definitions>;
