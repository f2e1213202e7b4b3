import { defineEvents, type Reports } from '../../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../../runtime/events/metric-table.ts';

const labels = ['queue'];

export const RABBITMQ_INTAKE_METRICS = metricTable('aggregator_intake_rabbitmq_', {
  connected: gauge('connected', '1 while messages are consumed', {
    labels,
    alarm: 'is 0: the broker cannot be reached, or the queue does not exist',
  }),
  messages: counter('messages_total', 'Messages that were accepted and acknowledged', { labels }),
  redelivered: counter('redelivered_messages_total', 'Messages that the broker delivered again', { labels }),
  rejected: counter('rejected_messages_total', 'Messages that are no record batch or cannot be accepted', {
    labels,
    alarm: 'rises: another program publishes to the queue, or a stream belongs to another collector',
  }),
  held: gauge('held_messages', 'Rejected messages that stay at the broker, since they cannot be kept here', {
    labels,
    alarm: 'is above 0: the directory of rejected messages is full',
  }),
});

interface Place {
  readonly address: string;
  readonly queue: string;
}

interface Reason {
  readonly reason: string;
}

interface RejectedMessage extends Reason {
  readonly queue: string;
  readonly messageId: string;
}

export const RABBITMQ_INTAKE_EVENTS = defineEvents(RABBITMQ_INTAKE_METRICS, (event) => ({
  connected: event<Place>({
    info: 'Consuming record batches from RabbitMQ',
    endsAll: true,
    count: ({ connected }) => connected.set(1),
  }),
  disconnected: event<Place & Reason>({
    warn: 'Cannot consume from RabbitMQ; waiting to connect again',
    once: ({ queue, reason }) => ({ topic: queue, value: reason }),
    repeatAfterMs: 10 * 60_000,
    count: ({ connected }) => connected.set(0),
  }),
  paused: event<{ readonly queue: string } & Reason>({
    info: 'Returned the messages of RabbitMQ, since intake is stopped',
    count: ({ connected }) => connected.set(0),
  }),
  accepted: event({ count: ({ messages }) => messages.inc() }),
  redelivered: event({ count: ({ redelivered }) => redelivered.inc() }),
  rejected: event<RejectedMessage & { readonly keptIn: string }>({
    error: 'Rejected a message of RabbitMQ that cannot be accepted',
    limit: { party: ({ queue }) => queue },
    count: ({ rejected }) => rejected.inc(),
  }),
  held: event<RejectedMessage & { readonly messages: number }>({
    error:
      'Cannot keep a message that was rejected. It stays at the broker. Empty the directory of rejected messages, or configure "dead_letter_exchange"',
    limit: { party: ({ queue }) => queue },
    count: ({ held }, { messages }) => held.set(messages),
  }),
  released: event({ count: ({ held }) => held.set(0) }),
}));

export type RabbitmqIntakeEvents = Reports<typeof RABBITMQ_INTAKE_EVENTS.definitions>;
