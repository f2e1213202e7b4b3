import type { Amount } from '../../records/amount.ts';
import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';

export const PUBLISHER_METRICS = metricTable('collector_publisher_', {
  records: counter('sent_records_total', 'Records sent, repetitions included'),
  bytes: counter('sent_bytes_total', 'Record bytes sent, uncompressed, repetitions included'),
  accepted: counter('accepted_batches_total', 'Batches that the aggregator accepted'),
  refused: counter('refused_batches_total', 'Batches or streams that the aggregator rejected', {
    alarm: 'is not 0: the aggregator has refused a batch; see the ERROR log',
  }),
  connections: counter('connections_total', 'Established calls to an aggregator'),
  connected: gauge('connected', '1 while an aggregator is connected', { alarm: 'is 0: no aggregator' }),
  unanswered: gauge('unanswered_bytes', 'Record bytes sent and not yet answered'),
});

interface Aggregator {
  readonly address: string;
}

interface Reason {
  readonly reason: string;
}

interface OfStream {
  readonly stream: string;
}

/** The events between a collector and its aggregator. */
export const PUBLISHER_EVENTS = defineEvents(PUBLISHER_METRICS, (event) => ({
  connected: event<Aggregator & { readonly software: string }>({
    info: 'Connected to the aggregator',
    endsAll: true,
    count: ({ connections, connected }) => {
      connections.inc();
      connected.set(1);
    },
  }),
  /** This collector ended the call; all sent batches are answered, unless the deadline passed. */
  ended: event<Aggregator>({
    info: 'Disconnected from the aggregator',
    count: ({ connected }) => connected.set(0),
  }),
  /** Another process connected with this collector's id. */
  replaced: event<Aggregator>({
    warn: 'Another collector connected with the id of this one; give each collector its own state directory',
    count: ({ connected }) => connected.set(0),
  }),
  disconnected: event<Aggregator & Reason>({
    warn: 'The connection to the aggregator has ended; unanswered batches are sent again',
    count: ({ connected }) => connected.set(0),
  }),
  /** The publisher retries every few seconds. */
  unreachable: event<Aggregator & Reason>({
    warn: 'Cannot reach the aggregator; records wait in files and journals',
    once: ({ address, reason }) => ({ topic: address, value: reason }),
    repeatAfterMs: 60_000,
  }),
  sent: event<Amount>({
    count: (metrics, { records, bytes }) => {
      metrics.records.inc(records);
      metrics.bytes.inc(bytes);
    },
  }),
  accepted: event<{ readonly batches: number }>({
    count: ({ accepted }, { batches }) => accepted.inc(batches),
  }),
  unanswered: event<{ readonly bytes: number }>({
    count: ({ unanswered }, { bytes }) => unanswered.set(bytes),
  }),
  refused: event<OfStream & Reason>({
    error: 'The aggregator rejected this stream; trying again hourly',
    count: ({ refused }) => refused.inc(),
  }),
  busy: event<Aggregator & Reason>({
    warn: 'The aggregator accepts no records now; they wait in files and journals',
  }),
  streamEndedOnResume: event<OfStream>({
    warn: 'The aggregator has other bytes of this stream; starting a new stream',
  }),
  readFailed: event<OfStream & { readonly err: unknown }>({
    error: 'Cannot read a stream; trying again at its next wake-up',
  }),
}));

export type PublisherEvents = Reports<typeof PUBLISHER_EVENTS.definitions>;
