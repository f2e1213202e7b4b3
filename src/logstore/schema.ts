import { ATTRIBUTE_COLUMNS, RECORD_COLUMNS } from './log-columns.ts';

/**
 * The tables of a store. Each back end creates `log_records` (in partitions, in one of them) from
 * `logRecordColumns`; the small tables here are the same everywhere. Both databases know the types by these
 * names, except JSON.
 *
 * A store is exactly-once because a flush is one transaction over the first five tables:
 *
 *     log_records       the rows
 *     streams           the stored ranges of positions of each stream: `[[0,4096],[8192,9000]]`. A flush locks the rows
 *                       of its streams, in the order of their ids, and removes stored positions from its batches
 *     writers           each running emitter, and the number of its last flush. The flushes of a writer are sequential,
 *                       so a reader that sees flush 7 has seen all before it: (writer, flush) is a position to continue from
 *     stored_ranges     the positions and times of the records of a flush, by stream: for live views
 *     touched_minutes   the minutes with new records of a flush: for metrics, which compute these again
 *
 * The others are of the monitor: metrics, alerts and their silences, and log groups. A later version may add tables:
 * each back end creates those that are missing when it opens a store, and an earlier version ignores them.
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
  `create table if not exists alert_silences (alert text not null, silenced_until timestamptz not null,
     reason text not null, silenced_by text not null, since timestamptz not null)`,
  'create table if not exists log_groups (id text primary key, definition text not null, created_at timestamptz not null)',
  'create table if not exists leases (name text primary key, holder text not null, expires_at timestamptz not null)',
];

/** The name of the table that a statement of STORE_TABLES creates. */
export function tableIn(statement: string): string {
  return /table if not exists (\w+)/.exec(statement)?.[1] ?? '';
}

/** The column list of `create table log_records (...)`. */
export function logRecordColumns(jsonType: 'json' | 'jsonb'): string {
  return [
    ...RECORD_COLUMNS.map(
      ({ column, type, isRequired }) =>
        `${column} ${type === 'json' ? jsonType : type}${isRequired ? ' not null' : ''}`,
    ),
    ...ATTRIBUTE_COLUMNS.map(({ column, type }) => `${column} ${type}`),
  ].join(',\n  ');
}

/**
 * Retention of temporary data. Streams are kept longer than the aggregator itself remembers them (400 days).
 */
export const HOUSEKEEPING = {
  storedRangesMs: 3_600_000,
  touchedMinutesMs: 2 * 86_400_000,
  writersMs: 7 * 86_400_000,
  streamsMs: 800 * 86_400_000,
} as const;
