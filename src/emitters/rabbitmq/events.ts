import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';

const labels = ['emitter'];

export const RABBITMQ_METRICS = metricTable('aggregator_emitter_rabbitmq_', {
  messages: counter('messages_total', 'Messages that the broker has confirmed', { labels }),
  skipped: counter(
    'skipped_messages_total',
    'Messages that were not sent again, since the broker had confirmed them before a failure',
    { labels },
  ),
  stored: counter(
    'stored_records_total',
    'Streams: records that were not published again, since the stream has them',
    { labels },
  ),
  returned: counter('returned_messages_total', 'Messages that the broker returned: no queue receives them', {
    labels,
    alarm: 'rises: a queue or a binding is missing',
  }),
  failures: counter('failures_total', 'Failed connections and flushes', { labels }),
  blocked: gauge('blocked', '1 while the broker accepts no messages because of an alarm', {
    labels,
    alarm: 'is 1: the broker has too little memory or disk',
  }),
});

export const RABBITMQ_EVENTS = defineEvents(RABBITMQ_METRICS, (event) => ({
  confirmed: event<{ readonly messages: number }>({
    count: (metrics, { messages }) => metrics.messages.inc(messages),
  }),
  skipped: event<{ readonly messages: number }>({
    count: (metrics, { messages }) => metrics.skipped.inc(messages),
  }),
  alreadyStored: event<{ readonly records: number }>({
    count: (metrics, { records }) => metrics.stored.inc(records),
  }),
  returned: event({ count: ({ returned }) => returned.inc() }),
  blocked: event<{ readonly address: string }>({
    warn: 'The broker accepts no messages because of an alarm; records stay in the queue',
    count: ({ blocked }) => blocked.set(1),
  }),
  unblocked: event({ count: ({ blocked }) => blocked.set(0) }),
  /** Not logged here: delivery logs the reason of each retry. */
  failed: event({ count: ({ failures }) => failures.inc() }),
  producerRenewed: event<{ readonly stream: string }>({
    warn: 'The stream has messages of a newer queue of this emitter, so the queue was restored from a copy; its records are published under a new name',
  }),
  producerNotWritten: event<{ readonly reason: string }>({
    error: 'Cannot write the name of the producer',
  }),
  reopenFailed: event<{ readonly reason: string }>({
    error: 'Cannot reload the certificates; the previous ones stay in use',
  }),
}));

export type RabbitmqEvents = Reports<typeof RABBITMQ_EVENTS.definitions>;
