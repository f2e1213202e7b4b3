import { ATTRIBUTE_COLUMNS, LOG_TABLE } from '../../logstore/log-columns.ts';
import { HOUSEKEEPING } from '../../logstore/schema.ts';
import { columnType } from './sql-literal.ts';

/**
 * The tables of a store in ClickHouse.
 *
 * `log_records` is a ReplacingMergeTree: of the rows with the same sorting key, ClickHouse keeps one when it merges
 * parts, and `final` shows one before that. The key ends with the identity of a record, so equal keys are
 * repetitions. A partition is a day: the retention drops partitions, and one INSERT writes one of them. A day without
 * new records for an hour is merged into one part, so that `final` has nothing to compare in it.
 *
 * Texts with few different values are LowCardinality. Numbers that grow slowly are stored as differences. An
 * identifier is a text of 32 digits: ClickHouse sorts its type UUID by the second half.
 */
export interface Engines {
  /** ` on cluster ...`, or nothing. */
  readonly onCluster: string;
  readonly replicated: boolean;
  readonly fsync: boolean;
}

export function logTable(engines: Engines): string {
  return `create table if not exists ${LOG_TABLE}${engines.onCluster} (
    time ${TIME} codec(Delta(8), ZSTD(1)),
    observed_time ${TIME} codec(Delta(8), ZSTD(1)),
    severity_number Nullable(Int16) codec(ZSTD(1)),
    severity_text LowCardinality(Nullable(String)),
    host LowCardinality(Nullable(String)),
    service LowCardinality(Nullable(String)),
    source LowCardinality(Nullable(String)),
    format LowCardinality(String),
    body String codec(ZSTD(1)),
    attributes Nullable(String) codec(ZSTD(1)),
    stream FixedString(32) codec(ZSTD(1)),
    position Int64 codec(Delta(8), ZSTD(1)),
    ${ATTRIBUTE_COLUMNS.map(({ column, type }) => `${column} ${attributeType(column, type)}`).join(', ')},
    index by_stream stream type bloom_filter(0.01) granularity 4
  ) engine = ${engine('ReplacingMergeTree', engines)}
  partition by toYYYYMMDD(time)
  order by (service, host, time, stream, position)
  settings allow_nullable_key = 1, min_age_to_force_merge_seconds = 3600,
    min_age_to_force_merge_on_partition_only = 1${durability(engines)}`;
}

/** A table of `STORE_TABLES`, written for other databases. */
export function smallTable(statement: string, engines: Engines): string {
  const [, name = '', list = ''] = /^create table if not exists (\w+) \((.*)\)$/s.exec(statement) ?? [];
  const columns = list.split(',').map((text) => columnOf(text.trim()));
  const key = columns.find(({ isKey }) => isKey)?.name ?? 'tuple()';
  const special = SPECIAL[name];
  const plain = `order by ${key} settings min_bytes_for_wide_part = 10485760`;
  return `create table if not exists ${name}${engines.onCluster} (
    ${columns.map(({ name: column, type }) => `${column} ${type}`).join(', ')}
  ) engine = ${engine(special?.engine ?? 'MergeTree', engines)} ${special?.rest ?? plain}`;
}

const TIME = "DateTime64(6, 'UTC')";

/** Tables with many rows, or with rows of which the last one counts. Mutations change the others. */
const SPECIAL: Readonly<Record<string, SpecialTable>> = {
  // The last row of a writer counts: its flushes are inserted one after another.
  writers: {
    engine: 'ReplacingMergeTree',
    rest: `order by writer ttl ${expiry('seen_at', HOUSEKEEPING.writersMs)}`,
  },
  stored_ranges: {
    engine: 'ReplacingMergeTree',
    rest: `order by (stream, range_start, range_end) ttl ${expiry('stored_at', HOUSEKEEPING.storedRangesMs)}`,
  },
  touched_minutes: {
    engine: 'MergeTree',
    rest: `order by minute ttl ${expiry('stored_at', HOUSEKEEPING.touchedMinutesMs)}`,
  },
  own_names: { engine: 'ReplacingMergeTree', rest: 'order by name' },
  mega_collector_store: { engine: 'ReplacingMergeTree', rest: 'order by version' },
  metric_points: { engine: 'MergeTree', rest: 'order by (metric, bucket)' },
};

interface SpecialTable {
  readonly engine: 'MergeTree' | 'ReplacingMergeTree';
  readonly rest: string;
}

function expiry(column: string, ageMs: number): string {
  return `toDateTime(${column}) + toIntervalSecond(${ageMs / 1000})`;
}

function columnOf(text: string): { readonly name: string; readonly type: string; readonly isKey: boolean } {
  const [name = '', type = ''] = text.split(/\s+/);
  const isKey = text.endsWith('primary key');
  const isRequired = isKey || text.endsWith('not null');
  const target = columnType(type);
  return { name, type: isRequired ? target : `Nullable(${target})`, isKey };
}

function attributeType(column: string, type: 'text' | 'smallint' | 'bigint'): string {
  if (type !== 'text') return `Nullable(${columnType(type)}) codec(ZSTD(1))`;
  return FEW_VALUES.has(column) ? 'LowCardinality(Nullable(String))' : 'Nullable(String) codec(ZSTD(1))';
}

const FEW_VALUES: ReadonlySet<string> = new Set([
  'user_name',
  'http_request_method',
  'network_protocol_version',
]);

function engine(name: string, { replicated }: Engines): string {
  return `${replicated ? 'Replicated' : ''}${name}`;
}

/** The server remembers the last INSERTs, so that a repetition has no effect; for Replicated tables it always does. */
function durability({ replicated, fsync }: Engines): string {
  if (replicated) return '';
  const flushed = fsync ? ', fsync_after_insert = 1, fsync_part_directory = 1' : '';
  return `, non_replicated_deduplication_window = 1000${flushed}`;
}
