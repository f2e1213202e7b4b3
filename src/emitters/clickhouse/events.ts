import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, metricTable } from '../../runtime/events/metric-table.ts';

const LOG_INTERVAL_MS = 600_000;

const labels = ['emitter'];

export const CLICKHOUSE_METRICS = metricTable('aggregator_emitter_clickhouse_', {
  rows: counter('rows_total', 'Inserted rows', { labels }),
  repeatedRows: counter('repeated_rows_total', 'Records skipped because they were already stored', {
    labels,
  }),
  checks: counter('checks_total', 'Comparisons of records with the table, after a start or a failure', {
    labels,
  }),
  failures: counter('failures_total', 'Failed flushes', { labels }),
  droppedPartitions: counter('dropped_partitions_total', 'Days dropped by the retention', { labels }),
});

interface Failure {
  readonly reason: string;
}

interface Unreachable extends Failure {
  /** Contains no secret. */
  readonly place: string;
  readonly remedy: string | undefined;
}

export const CLICKHOUSE_EVENTS = defineEvents(CLICKHOUSE_METRICS, (event) => ({
  stored: event<{ readonly rows: number; readonly repeatedRows: number; readonly checks: number }>({
    count: (metrics, { rows, repeatedRows, checks }) => {
      metrics.rows.inc(rows);
      metrics.repeatedRows.inc(repeatedRows);
      metrics.checks.inc(checks);
    },
  }),
  /** Not logged here: delivery logs the reason of each retry. */
  failed: event({ count: ({ failures }) => failures.inc() }),
  unreachable: event<Unreachable>({
    warn: ({ place, reason }) => `Cannot reach ClickHouse at ${place}: ${reason}. Records wait in the queue`,
    fields: ({ reason, remedy }) => ({ reason, remedy }),
    limit: { party: ({ reason }) => reason, intervalMs: LOG_INTERVAL_MS },
    begins: () => 'unreachable',
  }),
  reached: event({ info: 'Connected to ClickHouse again', ends: () => 'unreachable' }),
  partitionDropped: event<{ readonly day: number; readonly rows: number }>({
    info: 'Dropped a day older than the retention',
    count: ({ droppedPartitions }) => droppedPartitions.inc(),
  }),
  textIndexBegun: event<{ readonly day: number }>({
    info: 'The server computes the index of texts of a day',
  }),
  maintenanceFailed: event<Failure>({
    warn: 'Maintenance of the database failed; it will be retried',
    limit: { party: ({ reason }) => reason, intervalMs: LOG_INTERVAL_MS },
  }),
  reopenFailed: event<Failure>({
    error: 'Cannot reload the files of the connection; the previous ones stay in use',
  }),
}));

export type ClickHouseEvents = Reports<typeof CLICKHOUSE_EVENTS.definitions>;
