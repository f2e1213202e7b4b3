import type { DuckDBConnection } from '@duckdb/node-api';
import { ATTRIBUTE_COLUMNS, LOG_TABLE } from '../../logstore/log-columns.ts';
import { isLogsViewOutdated, LOGS_VIEW, logsViewStatements } from '../../logstore/logs-view.ts';
import { ANY_NAME, OWN_NAMES_TABLE } from '../../logstore/own-names.ts';
import { logRecordColumns, STORE_TABLES } from '../../logstore/schema.ts';
import { textOrNull } from '../../logstore/sql/sql-row.ts';
import { runStatement } from './statement.ts';

/** Of the tables as this version writes them. A file with a newer one is left alone. */
export const SCHEMA_VERSION = 2;

const VERSION_TABLE = 'mega_collector_store';

/** The attributes that have a column, and the others, together; what is in `attributes` wins, and nothing absent is shown. */
const ALL_ATTRIBUTES = `json_merge_patch(json_merge_patch('{}', json_object(${ATTRIBUTE_COLUMNS.map(
  ({ attribute, column }) => `'${attribute}', ${column}`,
).join(', ')})), coalesce(attributes, '{}'))`;

/**
 * Nine tenths of all bytes. Left to itself DuckDB keeps bodies as they are; so they need a third of the space, and a search
 * through all of them takes half as long again.
 */
const LARGE_COLUMNS = /^\s*(?:body text not null|attributes json)/gm;

const OWN_NAMES = `create table ${OWN_NAMES_TABLE} (name text primary key, until timestamptz)`;

const SCHEMA: readonly string[] = [
  `create table ${VERSION_TABLE} (version integer not null)`,
  `create table ${LOG_TABLE} (${logRecordColumns('json').replace(LARGE_COLUMNS, '$& using compression zstd')})`,
  ...STORE_TABLES,
  OWN_NAMES,
  `insert into ${VERSION_TABLE} values (${SCHEMA_VERSION})`,
];

/** To version 2: nothing is known of the names in the records that are there already. */
const FROM_VERSION_1: readonly string[] = [
  OWN_NAMES,
  `insert into ${OWN_NAMES_TABLE} select '${ANY_NAME}', max(observed_time) from ${LOG_TABLE} having count(*) > 0`,
  `update ${VERSION_TABLE} set version = ${SCHEMA_VERSION}`,
];

/** After the retention has removed these records, all names are known. */
const OLD_RECORDS_ARE_GONE = `${OWN_NAMES_TABLE}
  where name = '${ANY_NAME}' and not exists (select 1 from ${LOG_TABLE} where observed_time <= until)`;

/** The file can be read, and is not for this version of ours: why, and what to do. */
export class ForeignFileError extends Error {
  override readonly name = 'ForeignFileError';
}

/**
 * Creates the tables in a new file, and brings the view of an existing file up to date. Rejects with ForeignFileError when
 * the file is not ours.
 */
export async function prepareSchema(connection: DuckDBConnection): Promise<void> {
  const tables = await tableNames(connection);
  if (tables.has(VERSION_TABLE)) {
    if ((await versionOf(connection)) === 1) await inTransaction(connection, FROM_VERSION_1);
    await checkVersion(connection);
    await forgetOldRecords(connection);
  } else if (tables.size > 0) {
    throw new ForeignFileError('it is a database of something else: move it away, or set another "path"');
  } else {
    await inTransaction(connection, SCHEMA);
  }
  if (await isViewOutdated(connection)) await inTransaction(connection, logsViewStatements(ALL_ATTRIBUTES));
}

async function inTransaction(connection: DuckDBConnection, statements: readonly string[]): Promise<void> {
  await connection.run('begin transaction');
  for (const text of statements) await connection.run(text);
  await connection.run('commit');
}

async function isViewOutdated(connection: DuckDBConnection): Promise<boolean> {
  const [row] = await runStatement(connection, {
    text: 'select comment from duckdb_views() where not internal and view_name = $1',
    values: [LOGS_VIEW],
  });
  return isLogsViewOutdated(row === undefined ? null : textOrNull(row, 'comment'));
}

async function checkVersion(connection: DuckDBConnection): Promise<void> {
  const version = await versionOf(connection);
  if (version === SCHEMA_VERSION) return;
  throw new ForeignFileError(
    `its tables are of version ${version}, and this program knows version ${SCHEMA_VERSION}: run the program that wrote it, or move the file away`,
  );
}

/** Writes only where there is something to write: a file on a full disk can be opened, too. */
async function forgetOldRecords(connection: DuckDBConnection): Promise<void> {
  const found = await runStatement(connection, {
    text: `select name from ${OLD_RECORDS_ARE_GONE}`,
    values: [],
  });
  if (found.length > 0) await connection.run(`delete from ${OLD_RECORDS_ARE_GONE}`);
}

async function versionOf(connection: DuckDBConnection): Promise<number> {
  const [row] = await runStatement(connection, { text: `select version from ${VERSION_TABLE}`, values: [] });
  return Number(row?.version);
}

async function tableNames(connection: DuckDBConnection): Promise<ReadonlySet<string>> {
  const rows = await runStatement(connection, {
    text: 'select table_name as name from duckdb_tables() where not internal',
    values: [],
  });
  return new Set(rows.map(({ name }) => String(name)));
}
