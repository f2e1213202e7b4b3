import type { Amount } from '../../../records/amount.ts';
import { defineEvents, type Reports } from '../../../runtime/events/define-events.ts';
import { counter, metricTable } from '../../../runtime/events/metric-table.ts';

const labels = ['listener'];

export const OTLP_SOURCE_METRICS = metricTable('collector_otlp_', {
  records: counter('records_total', 'Log records received', { labels }),
  bytes: counter('bytes_total', 'Bytes of received log records', { labels }),
  requests: counter('requests_total', 'Requests, by outcome: stored, full, invalid', {
    labels: ['listener', 'outcome'],
    alarm: 'full rises: the aggregator is slower than the senders, and they retry',
  }),
  rejected: counter('rejected_records_total', 'Log records that are larger than a record may be', { labels }),
});

interface OfListener {
  readonly listener: string;
}

interface OfPeer extends OfListener {
  readonly peer: string;
}

export const OTLP_SOURCE_EVENTS = defineEvents(OTLP_SOURCE_METRICS, (event) => ({
  listening: event<OfListener & { readonly address: string }>({
    info: 'Listening for logs of OpenTelemetry',
  }),
  listenFailed: event<OfListener & { readonly reason: string }>({
    error: 'Cannot listen; trying again',
    once: ({ listener, reason }) => ({ topic: listener, value: reason }),
  }),
  received: event<OfListener & Amount>({
    count: (metrics, { listener, records, bytes }) => {
      metrics.requests.inc(1, { listener, outcome: 'stored' });
      metrics.records.inc(records, { listener });
      metrics.bytes.inc(bytes, { listener });
    },
  }),
  full: event<OfListener>({
    warn: 'No room for a request; the client is to retry it later',
    limit: { party: ({ listener }) => listener },
    count: ({ requests }, { listener }) => requests.inc(1, { listener, outcome: 'full' }),
  }),
  invalid: event<OfPeer & { readonly reason: string }>({
    warn: 'Rejected a request that is not valid',
    limit: { party: ({ peer }) => peer },
    count: ({ requests }, { listener }) => requests.inc(1, { listener, outcome: 'invalid' }),
  }),
  tooLarge: event<OfListener & { readonly records: number }>({
    warn: 'Rejected log records that are larger than a record may be',
    limit: { party: ({ listener }) => listener, sum: 'records' },
    count: ({ rejected }, { listener, records }) => rejected.inc(records, { listener }),
  }),
  tlsFailed: event<OfPeer & { readonly reason: string }>({
    warn: 'A TLS handshake failed',
    limit: { party: ({ peer }) => peer },
  }),
  certificateReloaded: event<OfListener>({ info: 'Reloaded the certificate' }),
  certificateRejected: event<OfListener & { readonly reason: string }>({
    error: 'Cannot reload the certificate; the previous one stays in use',
  }),
}));

export type OtlpSourceEvents = Reports<typeof OTLP_SOURCE_EVENTS.definitions>;
