import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, histogram, metricTable } from '../../runtime/events/metric-table.ts';
import type { AnsweredOperation, FailedOperation } from '../../runtime/operations/operation-events.ts';

export type RefusalReason = 'token' | 'peer' | 'host' | 'origin' | 'proxy' | 'attempts';

export const API_METRICS = metricTable('aggregator_api_', {
  seconds: histogram(
    'request_seconds',
    'Duration of requests to the API, including the wait; of a tail only its beginning',
    { labels: ['operation', 'status'], buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30] },
  ),
  refused: counter('refused_requests_total', 'Requests to the API without access', { labels: ['reason'] }),
  listeners: gauge('listeners', 'Clients that follow logs'),
  skipped: counter(
    'skipped_entries_total',
    'Entries left out for clients that follow logs, because more came than could be sent',
  ),
});

export const API_EVENTS = defineEvents(API_METRICS, (event) => ({
  answered: event<AnsweredOperation>({
    count: ({ seconds }, { operation, status, durationMs }) =>
      seconds.observe(durationMs / 1000, { operation, status: String(status) }),
  }),
  failed: event<FailedOperation>({ error: 'Cannot answer a request to the API' }),
  /** A client without access. It tries again; the counter has all attempts. */
  refused: event<{ readonly reason: RefusalReason; readonly peer: string }>({
    warn: 'Rejected a request to the API',
    once: () => ({ topic: 'refused', value: '' }),
    repeatAfterMs: 60_000,
    count: ({ refused }, { reason }) => refused.inc(1, { reason }),
  }),
  /** The number of clients that follow logs. */
  listening: event<{ readonly clients: number }>({
    count: ({ listeners }, { clients }) => listeners.set(clients),
  }),
  /** Entries that were left out for a client that follows logs. */
  skipped: event<{ readonly entries: number }>({ count: ({ skipped }, { entries }) => skipped.inc(entries) }),
}));

export type ApiEvents = Reports<typeof API_EVENTS.definitions>;
