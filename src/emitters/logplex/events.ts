import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';

/**
 * The result of a request. `cancelled`: no response, so the result is unknown. `rejected`: an unsuccessful
 * response.
 */
export type RequestFate = 'successful' | 'rejected' | 'cancelled';

const labels = ['emitter'];

const total = (what: 'messages' | 'requests') =>
  counter(`${what}_total`, `All ${what} whose result is known: the sum of the other four counters`, {
    labels,
  });
const accepted = (what: 'messages' | 'requests') =>
  counter(`successful_${what}_total`, `Accepted ${what}`, { labels });
const refused = (what: 'messages' | 'requests') =>
  counter(`rejected_${what}_total`, `The ${what} with an unsuccessful response`, { labels });
const cancelled = (what: 'messages' | 'requests') =>
  counter(
    `cancelled_${what}_total`,
    `The ${what} without a response: they may or may not have been delivered`,
    { labels },
  );
const dropped = (what: 'messages' | 'requests') =>
  counter(`dropped_${what}_total`, `The ${what} not sent because they had no destination`, { labels });

/**
 * Messages and requests are counted as by other logplex clients, when their result is known:
 * total = successful + rejected + cancelled + dropped. A retry counts again.
 */
export const LOGPLEX_METRICS = metricTable('aggregator_emitter_logplex_', {
  messages: total('messages'),
  successfulMessages: accepted('messages'),
  rejectedMessages: refused('messages'),
  cancelledMessages: cancelled('messages'),
  droppedMessages: dropped('messages'),
  requests: total('requests'),
  successfulRequests: accepted('requests'),
  rejectedRequests: refused('requests'),
  cancelledRequests: cancelled('requests'),
  droppedRequests: dropped('requests'),
  bytes: counter('bytes_total', 'Bytes of accepted request bodies', { labels }),
  retried: counter('retried_requests_total', 'Requests sent again with identical bytes', { labels }),
  truncated: counter('truncated_messages_total', 'Messages truncated because they were too long', {
    labels,
  }),
  split: counter('split_records_total', 'Records split into several messages because they were too long', {
    labels,
  }),
  inFlight: gauge('in_flight_requests', 'Requests waiting for a response', { labels }),
  suspended: gauge('set_aside_destinations', 'Suspended destinations, whose records become dead letters', {
    labels,
  }),
  lastSuccess: gauge('last_success_timestamp_seconds', 'Unix time of the last successful request', {
    labels,
    startsEmpty: true,
  }),
});

interface RequestEnd {
  readonly fate: RequestFate;
  readonly messages: number;
  readonly bytes: number;
  readonly nowUnixMs: number;
}

export const LOGPLEX_EVENTS = defineEvents(LOGPLEX_METRICS, (event) => ({
  requestBegins: event({ count: ({ inFlight }) => inFlight.inc() }),
  requestEnds: event<RequestEnd>({
    count: (metrics, { fate, messages, bytes, nowUnixMs }) => {
      metrics.inFlight.dec();
      metrics.requests.inc();
      metrics[`${fate}Requests` as const].inc();
      metrics.messages.inc(messages);
      metrics[`${fate}Messages` as const].inc(messages);
      if (fate !== 'successful') return;
      metrics.bytes.inc(bytes);
      metrics.lastSuccess.set(nowUnixMs / 1000);
    },
  }),
  /** Records rejected before a request was sent: each becomes a dead letter. */
  dropped: event<{ readonly records: number }>({
    count: ({ requests, droppedRequests, messages, droppedMessages }, { records }) => {
      requests.inc();
      droppedRequests.inc();
      messages.inc(records);
      droppedMessages.inc(records);
    },
  }),
  retried: event({ count: ({ retried }) => retried.inc() }),
  truncated: event({ count: ({ truncated }) => truncated.inc() }),
  split: event({ count: ({ split }) => split.inc() }),
  suspended: event<{ readonly destination: string; readonly reason: string }>({
    error:
      'Suspended a destination that delayed the others for too long; its records become dead letters until it recovers',
    count: ({ suspended }) => suspended.inc(),
  }),
  recovered: event<{ readonly destination: string }>({
    info: 'A suspended destination recovered; replay its dead letters',
    count: ({ suspended }) => suspended.dec(),
  }),
  /** A suspended destination is no longer in the serve database. */
  removed: event({ count: ({ suspended }) => suspended.dec() }),
  servesRead: event<{ readonly records: number }>({ info: 'Loaded the serve database' }),
  servesUnusable: event<{ readonly unusable: readonly string[] }>({
    error: 'The serve database contains unusable records',
    fields: ({ unusable }) => ({ unusable: unusable.slice(0, 10) }),
  }),
  servesUnreadable: event<{ readonly reason: string }>({
    error: 'Cannot load the serve database; the previous version stays in use',
  }),
  insecure: event({
    warn: 'Certificate verification is disabled: the logs and tokens can be intercepted on the network',
  }),
  reopenFailed: event<{ readonly reason: string }>({
    error: 'Cannot reload the certificate authorities; the previous ones stay in use',
  }),
}));

export type LogplexEvents = Reports<typeof LOGPLEX_EVENTS.definitions>;
