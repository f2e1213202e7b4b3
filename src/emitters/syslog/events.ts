import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, metricTable } from '../../runtime/events/metric-table.ts';

const labels = ['emitter'];

export const SYSLOG_METRICS = metricTable('aggregator_emitter_syslog_', {
  messages: counter('messages_total', 'Messages passed to the operating system', { labels }),
  bytes: counter('bytes_total', 'Bytes passed to the operating system, with frames', { labels }),
  cut: counter('cut_messages_total', 'Messages truncated because they were too long', { labels }),
  failures: counter('failures_total', 'Lost connections, failed attempts and unsent datagrams', { labels }),
  tooLate: counter('late_failures_total', 'Failures reported after their messages had counted as delivered', {
    labels,
  }),
});

export const SYSLOG_EVENTS = defineEvents(SYSLOG_METRICS, (event) => ({
  sent: event<{ readonly messages: number; readonly bytes: number }>({
    count: (metrics, { messages, bytes }) => {
      metrics.messages.inc(messages);
      metrics.bytes.inc(bytes);
    },
  }),
  cut: event<{ readonly cutBytes: number }>({
    warn: 'Truncated a message that was too long',
    limit: {},
    count: ({ cut }) => cut.inc(),
  }),
  /** Not logged here: delivery logs the reason of each retry. */
  failed: event({ count: ({ failures }) => failures.inc() }),
  tooLate: event<{ readonly address: string; readonly reason: string }>({
    warn: 'Messages that counted as delivered may be lost',
    limit: {},
    count: ({ tooLate }) => tooLate.inc(),
  }),
  reopenFailed: event<{ readonly reason: string }>({
    error: 'Cannot reload the certificates; the previous ones stay in use',
  }),
}));

export type SyslogEvents = Reports<typeof SYSLOG_EVENTS.definitions>;
