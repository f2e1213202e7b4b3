import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, metricTable } from '../../runtime/events/metric-table.ts';

const labels = ['emitter'];

export const OTLP_METRICS = metricTable('aggregator_emitter_otlp_', {
  records: counter('records_total', 'Log records that the receiver has accepted', { labels }),
  requests: counter('requests_total', 'Requests, retries included', { labels }),
  requestBytes: counter('request_bytes_total', 'Bytes of the bodies of requests, as sent', { labels }),
  partial: counter(
    'partially_rejected_records_total',
    'Log records that the receiver has rejected from accepted requests: they are lost',
    { labels, alarm: 'rises: the receiver does not store some log records, and does not name them' },
  ),
  failures: counter('failures_total', 'Failed requests that are retried', { labels }),
});

export const OTLP_EVENTS = defineEvents(OTLP_METRICS, (event) => ({
  sent: event<{ readonly bytes: number }>({
    count: ({ requests, requestBytes }, { bytes }) => {
      requests.inc();
      requestBytes.inc(bytes);
    },
  }),
  accepted: event<{ readonly records: number }>({
    count: (metrics, { records }) => metrics.records.inc(records),
  }),
  /** The receiver does not name the records, so a retry would repeat the others. */
  partiallyRejected: event<{ readonly records: number; readonly reason: string }>({
    error: 'The receiver rejected some log records of a request; they are not sent again',
    limit: { sum: 'records' },
    count: ({ partial }, { records }) => partial.inc(records),
  }),
  /** A partial success without rejected records is a warning of the receiver. */
  warned: event<{ readonly reason: string }>({
    warn: 'The receiver accepted a request with a warning',
    limit: {},
  }),
  /** Not logged here: delivery logs the reason of each retry. */
  failed: event({ count: ({ failures }) => failures.inc() }),
  reopenFailed: event<{ readonly reason: string }>({
    error: 'Cannot reload the certificates; the previous ones stay in use',
  }),
}));

export type OtlpEvents = Reports<typeof OTLP_EVENTS.definitions>;
