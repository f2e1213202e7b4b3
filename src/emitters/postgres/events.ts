import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, metricTable } from '../../runtime/events/metric-table.ts';
import type { LayoutFinding } from './migrate.ts';

const LOG_INTERVAL_MS = 600_000;

const labels = ['emitter'];

export const POSTGRES_METRICS = metricTable('aggregator_emitter_postgres_', {
  rows: counter('rows_total', 'Committed rows', { labels }),
  repeatedBytes: counter(
    'repeated_bytes_total',
    'Bytes of records skipped because they were already stored',
    { labels },
  ),
  conflicts: counter(
    'conflicts_total',
    'Transactions retried immediately after a conflict such as a deadlock',
    { labels },
  ),
  failures: counter('failures_total', 'Failed flushes', { labels }),
  expiredRows: counter(
    'expired_rows_total',
    'Rows deleted by the retention, including those of dropped partitions and chunks',
    { labels },
  ),
  droppedPartitions: counter('dropped_partitions_total', 'Partitions and chunks dropped by the retention', {
    labels,
  }),
});

interface Failure {
  readonly reason: string;
}

interface Unreachable extends Failure {
  /** Contains no secret. */
  readonly place: string;
  readonly remedy: string | undefined;
}

interface Schema extends LayoutFinding {
  readonly schema: string;
}

const readyTables = ({ layout }: Schema) =>
  layout === 'timescale'
    ? 'The tables are ready; log_records is a hypertable of TimescaleDB'
    : 'The tables are ready; log_records is partitioned by PostgreSQL';

export const POSTGRES_EVENTS = defineEvents(POSTGRES_METRICS, (event) => ({
  stored: event<{ readonly rows: number; readonly repeatedBytes: number }>({
    count: (metrics, { rows, repeatedBytes }) => {
      metrics.rows.inc(rows);
      metrics.repeatedBytes.inc(repeatedBytes);
    },
  }),
  conflict: event<Failure>({
    debug: 'Retrying a transaction that conflicted with another one',
    count: ({ conflicts }) => conflicts.inc(),
  }),
  /** Not logged here: delivery logs the reason of each retry. */
  failed: event({ count: ({ failures }) => failures.inc() }),
  schemaReady: event<Schema>({ info: readyTables }),
  /** The operator can enable TimescaleDB: existing tables keep their layout, so it requires new ones. */
  schemaImprovable: event<Schema>({ warn: readyTables }),
  unreachable: event<Unreachable>({
    warn: ({ place, reason }) => `Cannot reach PostgreSQL at ${place}: ${reason}. Records wait in the queue`,
    fields: ({ reason, remedy }) => ({ reason, remedy }),
    limit: { party: ({ reason }) => reason, intervalMs: LOG_INTERVAL_MS },
    begins: () => 'unreachable',
  }),
  reached: event({ info: 'Connected to PostgreSQL again', ends: () => 'unreachable' }),
  partitionsAdded: event<{ readonly partitions: number }>({ debug: 'Added partitions' }),
  partitionDropped: event<{ readonly partition: string; readonly rows: number }>({
    info: 'Dropped a partition older than the retention',
    count: ({ droppedPartitions, expiredRows }, { rows }) => {
      droppedPartitions.inc();
      expiredRows.inc(rows);
    },
  }),
  rowsExpired: event<{ readonly table: string; readonly rows: number }>({
    info: 'Deleted rows older than the retention',
    count: ({ expiredRows }, { rows }) => expiredRows.inc(rows),
  }),
  dayIndexChanged: event<{ readonly table: string; readonly seconds: number }>({
    info: 'Created or dropped an index of a day',
  }),
  textIndexesUnavailable: event<Failure & { readonly remedy: string }>({
    info: 'Text searches read all rows of a day, without an index of trigrams',
  }),
  maintenanceFailed: event<Failure & { readonly work: string }>({
    warn: 'Maintenance of the database failed; it will be retried',
    limit: { party: ({ work }) => work, intervalMs: LOG_INTERVAL_MS },
  }),
  reopenFailed: event<Failure>({
    error: 'Cannot reload the files of the connection; the previous ones stay in use',
  }),
}));

export type PostgresEvents = Reports<typeof POSTGRES_EVENTS.definitions>;
