import { ATTRIBUTE_COLUMNS, RECORD_COLUMNS } from './log-columns.ts';

/**
 * The tables of a store. `log_records` itself is created by each back end (one of them in partitions) from
 * `logRecordColumns`; the small tables are these, the same everywhere. Both databases know the types by these names, but
 * for JSON.
 *
 * What makes a store exactly-once is that a flush is one transaction over the first five:
 *
 *     log_records       the rows
 *     streams           for each stream the ranges of positions that are stored: `[[0,4096],[8192,9000]]`. A flush locks
 *                       the rows of its streams, in the order of their ids, and cuts from its batches what is there already
 *     writers           each running emitter, and the number of its last flush. A writer flushes one after another, so
 *                       whoever has seen its flush 7 has seen all before: (writer, flush) is a place from which one can go on
 *     stored_ranges     which positions of which stream a flush has brought, and between what times: for following live
 *     touched_minutes   which minutes have new records since that flush: for metrics, which open these again
 *
 * `stored_ranges` are kept for an hour, `touched_minutes` for two days (HOUSEKEEPING).
 */
export const STORE_TABLES: readonly string[] = [
  'create table if not exists streams (stream uuid primary key, ranges text not null, updated_at timestamptz not null)',
  'create table if not exists writers (writer uuid primary key, last_flush bigint not null, seen_at timestamptz not null)',
  `create table if not exists stored_ranges (writer uuid not null, flush bigint not null, stored_at timestamptz not null,
     stream uuid not null, range_start bigint not null, range_end bigint not null,
     min_time timestamptz not null, max_time timestamptz not null)`,
  `create table if not exists touched_minutes (writer uuid not null, flush bigint not null, stored_at timestamptz not null,
     minute timestamptz not null)`,
  `create table if not exists metrics (id text primary key, definition text not null, created_at timestamptz not null,
     watermark text, refreshed_at timestamptz)`,
  `create table if not exists metric_points (metric text not null, bucket timestamptz not null, segment text, value float8,
     count bigint not null)`,
  'create table if not exists alerts (id text primary key, definition text not null, created_at timestamptz not null)',
  `create table if not exists alert_states (alert text not null, segment text, state text not null, since timestamptz not null,
     observed float8, pending_since timestamptz, seen_at timestamptz, checked_at timestamptz not null)`,
  `create table if not exists alert_history (alert text not null, segment text, "at" timestamptz not null, from_state text not null,
     to_state text not null, observed float8, level float8 not null, comparison text not null)`,
  'create table if not exists leases (name text primary key, holder text not null, expires_at timestamptz not null)',
];

/** What is between the brackets of `create table log_records (...)`. */
export function logRecordColumns(jsonType: 'json' | 'jsonb'): string {
  return [
    ...RECORD_COLUMNS.map(
      ({ column, type, isRequired }) =>
        `${column} ${type === 'json' ? jsonType : type}${isRequired ? ' not null' : ''}`,
    ),
    ...ATTRIBUTE_COLUMNS.map(({ column, type }) => `${column} ${type}`),
  ].join(',\n  ');
}

/** How long what is only needed for a while is kept. Streams outlive the aggregator's own memory of them (400 days). */
export const HOUSEKEEPING = {
  storedRangesMs: 3_600_000,
  touchedMinutesMs: 2 * 86_400_000,
  writersMs: 7 * 86_400_000,
  streamsMs: 800 * 86_400_000,
} as const;
