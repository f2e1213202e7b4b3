import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, metricTable } from '../../runtime/events/metric-table.ts';

/** The steps of the retention are small and frequent, so their rows are added up. */
const DELETIONS_LOGGED_EVERY_MS = 600_000;

const labels = ['emitter'];

export const DUCKDB_METRICS = metricTable('aggregator_emitter_duckdb_', {
  rows: counter('rows_total', 'Stored records', { labels }),
  deletedRows: counter(
    'deleted_rows_total',
    'Records deleted because of their age or of the size of the file',
    { labels },
  ),
  failures: counter('failures_total', 'Failures to use the database file', { labels }),
});

interface Failure {
  readonly reason: string;
}

/** The events of the embedded store, except writes. */
export const DUCKDB_EVENTS = defineEvents(DUCKDB_METRICS, (event) => ({
  opened: event<{ readonly path: string }>({ info: 'Opened the database of the store' }),
  stored: event<{ readonly rows: number }>({ count: (metrics, { rows }) => metrics.rows.inc(rows) }),
  deleted: event<{ readonly rows: number; readonly why: string }>({
    info: 'Deleted old records',
    limit: { party: ({ why }) => why, intervalMs: DELETIONS_LOGGED_EVERY_MS, sum: 'rows' },
    count: ({ deletedRows }, { rows }) => deletedRows.inc(rows),
  }),
  unavailable: event<Failure>({
    error: ({ reason }) => `Cannot use the store, records stay queued: ${reason}`,
    count: ({ failures }) => failures.inc(),
  }),
  checkpointFailed: event<Failure>({
    warn: ({ reason }) => `Cannot checkpoint the write-ahead log of the store yet: ${reason}`,
    count: ({ failures }) => failures.inc(),
  }),
  sketchFailed: event<Failure>({
    warn: ({ reason }) => `Cannot build the sketches of the text search yet: ${reason}`,
    count: ({ failures }) => failures.inc(),
  }),
  retentionFailed: event<Failure>({
    warn: ({ reason }) => `Cannot delete old records yet: ${reason}`,
    count: ({ failures }) => failures.inc(),
  }),
}));

export type DuckDbEvents = Reports<typeof DUCKDB_EVENTS.definitions>;
