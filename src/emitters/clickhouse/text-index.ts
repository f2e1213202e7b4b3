import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { numberOf } from '../../logstore/sql/sql-row.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ClickHouseConfiguration } from './configuration.ts';
import type { Connection } from './connection.ts';
import { CHANGE_SETTINGS, QUERY_SETTINGS } from './query-settings.ts';

/**
 * The index of texts: for each 8,192 rows, a Bloom filter of the sequences of five characters in the lower-case body. A
 * search of a text reads only the rows whose filter has all sequences of the text.
 *
 * It costs as much CPU as all other work on a row. So neither INSERTs nor merges compute it, but a mutation, once, when
 * a day is over and has received no records for two hours. A part that a later merge writes has no index, and gets it
 * in the same way.
 */
export const TEXT_INDEX = {
  name: 'by_body',
  definition: 'by_body lower(body) type ngrambf_v1(5, 32768, 2, 0) granularity 1',
} as const;

/** Settings of the table, where the server has them and the operator has not set them. */
export const TABLE_SETTINGS = [
  // A row is merged less often on its way to large parts.
  { name: 'min_parts_to_merge_at_once', value: '10' },
  // An INSERT writes one file of data, and not some 60 with their fsync. A merge of such parts writes a file for each column.
  { name: 'min_bytes_for_wide_part', value: '134217728' },
  // ClickHouse 25.10 or later. Before, merges compute the index.
  { name: 'exclude_materialize_skip_indexes_on_merge', value: `'${TEXT_INDEX.name}'` },
] as const;

/** Begins to compute the index of the newest day that has none, one day at a time. Resolves with that day. */
export async function buildTextIndex(options: TextIndexOptions): Promise<number | undefined> {
  const { configuration, connection, signal } = options;
  const request = { timeoutMs: configuration.timeout, signal };
  const rows = await connection().query(dayWithoutIndex(options), { ...request, settings: QUERY_SETTINGS });
  const [row] = rows;
  if (row === undefined) return undefined;
  const day = numberOf(row, 'day');
  await connection().command(
    `alter table ${LOG_TABLE} materialize index ${TEXT_INDEX.name} in partition ${day}`,
    // It takes long, and continues without this program.
    { ...request, settings: { ...CHANGE_SETTINGS, mutations_sync: '0' } },
  );
  return day;
}

export interface TextIndexOptions {
  readonly connection: () => Connection;
  readonly configuration: ClickHouseConfiguration;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

function dayWithoutIndex({ configuration: { database }, clock }: TextIndexOptions): string {
  const now = Number(clock.nowUnixNano() / 1_000_000_000n);
  const ofTable = `database = '${database}' and table = '${LOG_TABLE}'`;
  return `select toUInt32(partition) as day from system.parts
    where ${ofTable} and active and toUInt32(partition) < toYYYYMMDD(toDateTime(${now}, 'UTC'))
      and not exists (select 1 from system.mutations
        where ${ofTable} and not is_done and command like '%MATERIALIZE INDEX%')
    group by day
    having max(modification_time) < fromUnixTimestamp(${now - QUIET_SECONDS}) and sum(rows) >= ${MIN_ROWS}
      and sum(secondary_indices_uncompressed_bytes) < sum(marks) * ${FILTER_BYTES / 2}
    order by day desc limit 1`;
}

const QUIET_SECONDS = 7200;
/** A smaller day is read at once. */
const MIN_ROWS = 16_384;
const FILTER_BYTES = 32_768;
