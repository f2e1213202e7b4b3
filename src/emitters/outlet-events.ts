import { defineEvents } from '../runtime/events/define-events.ts';
import { counter, metricTable } from '../runtime/events/metric-table.ts';

const labels = ['emitter'];

/** The metrics of an emitter that sends messages without acknowledgements. `size`: the meaning of its bytes. */
export function outletMetrics(prefix: string, size: string) {
  return metricTable(prefix, {
    messages: counter('messages_total', 'Messages passed to the operating system', { labels }),
    bytes: counter('bytes_total', `Bytes passed to the operating system, ${size}`, { labels }),
    cut: counter('cut_messages_total', 'Messages truncated because they were too long', { labels }),
    failures: counter('failures_total', 'Lost connections, failed attempts and unsent datagrams', { labels }),
    tooLate: counter(
      'late_failures_total',
      'Failures reported after their messages had counted as delivered',
      { labels },
    ),
  });
}

/** Their logs and counts. */
export function outletEvents(table: ReturnType<typeof outletMetrics>) {
  return defineEvents(table, (event) => ({
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
}
