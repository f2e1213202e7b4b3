import type { Amount } from '../../../records/amount.ts';
import { defineEvents, type Reports } from '../../../runtime/events/define-events.ts';
import { counter, metricTable } from '../../../runtime/events/metric-table.ts';

const labels = ['listener', 'protocol'];

export const HTTP_SOURCE_METRICS = metricTable('collector_http_', {
  records: counter('records_total', 'Records received, by protocol', { labels }),
  bytes: counter('bytes_total', 'Bytes of received records', { labels }),
  requests: counter(
    'requests_total',
    'Requests, by outcome: stored, full, invalid, unauthorized, failed; without requests for a status',
    {
      labels: [...labels, 'outcome'],
      alarm: 'full rises: the aggregator is slower than the clients, and they retry',
    },
  ),
  truncated: counter('truncated_records_total', 'Records of which only the beginning was kept: above 1 MiB', {
    labels,
  }),
});

interface OfListener {
  readonly listener: string;
}

interface OfProtocol extends OfListener {
  readonly protocol: string;
}

interface OfPeer extends OfListener {
  readonly peer: string;
}

export const HTTP_SOURCE_EVENTS = defineEvents(HTTP_SOURCE_METRICS, (event) => ({
  listening: event<OfListener & { readonly address: string }>({ info: 'Listening for records over HTTP' }),
  listenFailed: event<OfListener & { readonly reason: string }>({
    error: 'Cannot listen; trying again',
    once: ({ listener, reason }) => ({ topic: listener, value: reason }),
  }),
  received: event<OfProtocol & Amount>({
    count: (metrics, { listener, protocol, records, bytes }) => {
      metrics.requests.inc(1, { listener, protocol, outcome: 'stored' });
      metrics.records.inc(records, { listener, protocol });
      metrics.bytes.inc(bytes, { listener, protocol });
    },
  }),
  full: event<OfProtocol>({
    warn: 'No room for a request; the client is to retry it later',
    limit: { party: ({ listener }) => listener },
    count: ({ requests }, { listener, protocol }) => requests.inc(1, { listener, protocol, outcome: 'full' }),
  }),
  invalid: event<OfPeer & OfProtocol & { readonly reason: string }>({
    warn: 'Rejected a request that is not valid',
    limit: { party: ({ peer }) => peer },
    count: ({ requests }, { listener, protocol }) =>
      requests.inc(1, { listener, protocol, outcome: 'invalid' }),
  }),
  unauthorized: event<OfPeer & OfProtocol & { readonly reason: string }>({
    warn: 'Rejected a request without a valid token',
    limit: { party: ({ peer }) => peer },
    count: ({ requests }, { listener, protocol }) =>
      requests.inc(1, { listener, protocol, outcome: 'unauthorized' }),
  }),
  failed: event<OfPeer & OfProtocol & { readonly reason: string }>({
    error: 'Cannot process a request',
    limit: { party: ({ listener }) => listener },
    count: ({ requests }, { listener, protocol }) =>
      requests.inc(1, { listener, protocol, outcome: 'failed' }),
  }),
  truncated: event<OfProtocol & { readonly records: number }>({
    warn: 'Kept only the beginning of records that are larger than a record may be',
    limit: { party: ({ listener }) => listener, sum: 'records' },
    count: ({ truncated }, { listener, protocol, records }) => truncated.inc(records, { listener, protocol }),
  }),
  tlsFailed: event<OfPeer & { readonly reason: string }>({
    warn: 'A TLS handshake failed',
    limit: { party: ({ peer }) => peer },
  }),
  certificateReloaded: event<OfListener>({ info: 'Reloaded the certificate' }),
  certificateRejected: event<OfListener & { readonly reason: string }>({
    error: 'Cannot reload the certificate; the previous one stays in use',
  }),
  tokensReloaded: event<OfListener & { readonly tokens: number }>({ info: 'Reloaded the tokens' }),
  tokensRejected: event<OfListener & { readonly reason: string }>({
    error: 'Cannot reload the tokens; the previous ones stay in use',
  }),
}));

export type HttpSourceEvents = Reports<typeof HTTP_SOURCE_EVENTS.definitions>;
