import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, metricTable } from '../../runtime/events/metric-table.ts';

const labels = ['emitter'];

export const RELP_METRICS = metricTable('aggregator_emitter_relp_', {
  messages: counter('messages_total', 'Messages that the server has accepted', { labels }),
  rejected: counter('rejected_messages_total', 'Messages that the server has rejected: dead letters', {
    labels,
  }),
  cut: counter('cut_messages_total', 'Messages truncated because they were too long', { labels }),
  failures: counter('failures_total', 'Failed connections and sessions', { labels }),
});

export const RELP_EVENTS = defineEvents(RELP_METRICS, (event) => ({
  accepted: event<{ readonly messages: number }>({
    count: (metrics, { messages }) => metrics.messages.inc(messages),
  }),
  rejected: event<{ readonly messages: number }>({
    count: (metrics, { messages }) => metrics.rejected.inc(messages),
  }),
  cut: event<{ readonly cutBytes: number }>({
    warn: 'Truncated a message that was too long',
    limit: {},
    count: ({ cut }) => cut.inc(),
  }),
  /** Not logged here: delivery logs the reason of each retry. */
  failed: event({ count: ({ failures }) => failures.inc() }),
  reopenFailed: event<{ readonly reason: string }>({
    error: 'Cannot reload the certificates; the previous ones stay in use',
  }),
}));

export type RelpEvents = Reports<typeof RELP_EVENTS.definitions>;
