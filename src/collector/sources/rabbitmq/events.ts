import type { Amount } from '../../../records/amount.ts';
import { defineEvents, type Reports } from '../../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../../runtime/events/metric-table.ts';

const labels = ['queue'];

export const RABBITMQ_SOURCE_METRICS = metricTable('collector_rabbitmq_', {
  connected: gauge('connected', '1 while messages are consumed', {
    labels,
    alarm: 'is 0: the broker cannot be reached, or the queue does not exist',
  }),
  records: counter('records_total', 'Messages received', { labels }),
  bytes: counter('bytes_total', 'Bytes of received messages', { labels }),
  repeated: counter(
    'repeated_messages_total',
    'Messages that the broker delivered again, marked or dropped',
    {
      labels,
    },
  ),
  lost: counter(
    'lost_messages_total',
    'Streams: messages that the broker deleted before they were read, at most',
    { labels, alarm: 'rises: the stream keeps its messages for too short a time' },
  ),
  replaced: counter('replaced_streams_total', 'Streams that were deleted and declared again', {
    labels,
    alarm: 'rises: the new stream is read from its beginning',
  }),
  split: counter('split_messages_total', 'Messages above 1 MiB, which became several records', { labels }),
});

interface OfQueue {
  readonly queue: string;
}

interface Place extends OfQueue {
  readonly address: string;
}

export const RABBITMQ_SOURCE_EVENTS = defineEvents(RABBITMQ_SOURCE_METRICS, (event) => ({
  connected: event<Place>({
    info: 'Consuming messages of RabbitMQ',
    endsAll: true,
    count: ({ connected }, { queue }) => connected.set(1, { queue }),
  }),
  disconnected: event<Place & { readonly reason: string }>({
    warn: 'Cannot consume from RabbitMQ; waiting to connect again',
    once: ({ queue, reason }) => ({ topic: queue, value: reason }),
    repeatAfterMs: 10 * 60_000,
    count: ({ connected }, { queue }) => connected.set(0, { queue }),
  }),
  received: event<OfQueue & Amount>({
    count: (metrics, { queue, records, bytes }) => {
      metrics.records.inc(records, { queue });
      metrics.bytes.inc(bytes, { queue });
    },
  }),
  repeated: event<OfQueue>({ count: ({ repeated }, { queue }) => repeated.inc(1, { queue }) }),
  lost: event<OfQueue & { readonly messages: number }>({
    error: 'The broker has deleted messages of the stream that were not read',
    count: ({ lost }, { queue, messages }) => lost.inc(messages, { queue }),
  }),
  streamReplaced: event<OfQueue>({
    error: 'The stream was deleted and declared again; reading it from its beginning',
    count: ({ replaced }, { queue }) => replaced.inc(1, { queue }),
  }),
  streamSilent: event<OfQueue>({
    warn: 'The stream is empty, but messages of it were read before; it was deleted and declared again, and is read from its beginning as soon as it has messages',
    once: ({ queue }) => ({ topic: queue, value: 'silent' }),
  }),
  split: event<OfQueue & { readonly bytes: number }>({
    warn: 'A message is longer than a record; it became several records',
    limit: { party: ({ queue }) => queue },
    count: ({ split }, { queue }) => split.inc(1, { queue }),
  }),
}));

export type RabbitmqSourceEvents = Reports<typeof RABBITMQ_SOURCE_EVENTS.definitions>;
