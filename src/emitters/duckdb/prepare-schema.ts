import type { DuckDBConnection } from '@duckdb/node-api';
import { ATTRIBUTE_COLUMNS, LOG_TABLE } from '../../logstore/log-columns.ts';
import { isLogsViewOutdated, LOGS_VIEW, logsViewStatements } from '../../logstore/logs-view.ts';
import { ANY_NAME, OWN_NAMES_TABLE } from '../../logstore/own-names.ts';
import { logRecordColumns, STORE_TABLES, tableIn } from '../../logstore/schema.ts';
import { textOrNull } from '../../logstore/sql/sql-row.ts';
import { runStatement } from './run-statement.ts';
import { TEXT_SKETCHES } from './text-sketches.ts';

/**
 * Creates the tables in a new file, and updates the view of an existing one. Rejects with ForeignFileError if
 * the file is not a store of this program.
 */
export async function prepareSchema(connection: DuckDBConnection): Promise<void> {
  const tables = await tableNames(connection);
  if (tables.has(VERSION_TABLE)) {
    if ((await versionOf(connection)) === 1) await inTransaction(connection, FROM_VERSION_1);
    if ((await versionOf(connection)) === 2) await inTransaction(connection, FROM_VERSION_2);
    await checkVersion(connection);
    if (!STORE_TABLES.every((text) => tables.has(tableIn(text))))
      await inTransaction(connection, STORE_TABLES);
    await forgetOldRecords(connection);
  } else if (tables.size > 0) {
    throw new ForeignFileError('it is the database of another program. Move it away, or set another "path"');
  } else {
    await inTransaction(connection, SCHEMA);
  }
  if (await isViewOutdated(connection)) await inTransaction(connection, logsViewStatements(ALL_ATTRIBUTES));
}

/** Version of the tables that this code writes. A file with a newer version is not modified. */
export const SCHEMA_VERSION = 3;

const VERSION_TABLE = 'mega_collector_store';

/** All attributes, with and without a column; values in `attributes` win, and absent ones are omitted. */
const ALL_ATTRIBUTES = `json_merge_patch(json_merge_patch('{}', json_object(${ATTRIBUTE_COLUMNS.map(
  ({ attribute, column }) => `'${attribute}', ${column}`,
).join(', ')})), coalesce(attributes, '{}'))`;

/**
 * The columns with nine tenths of all bytes. By default DuckDB does not compress bodies; with zstd they need
 * a third of the space, and a search through all of them takes 1.5 times as long.
 */
const LARGE_COLUMNS = /^\s*(?:body text not null|attributes json)/gm;

const OWN_NAMES = `create table ${OWN_NAMES_TABLE} (name text primary key, until timestamptz)`;

const SCHEMA: readonly string[] = [
  `create table ${VERSION_TABLE} (version integer not null)`,
  `create table ${LOG_TABLE} (${logRecordColumns('json').replace(LARGE_COLUMNS, '$& using compression zstd')})`,
  ...STORE_TABLES,
  OWN_NAMES,
  TEXT_SKETCHES,
  `insert into ${VERSION_TABLE} values (${SCHEMA_VERSION})`,
];

/** Migration to version 2: the names in existing records are unknown. */
const FROM_VERSION_1: readonly string[] = [
  OWN_NAMES,
  `insert into ${OWN_NAMES_TABLE} select '${ANY_NAME}', max(observed_time) from ${LOG_TABLE} having count(*) > 0`,
  `update ${VERSION_TABLE} set version = 2`,
];

/** Migration to version 3: a program that does not know sketches would add records without deleting their sketches. */
const FROM_VERSION_2: readonly string[] = [TEXT_SKETCHES, `update ${VERSION_TABLE} set version = 3`];

/** After the retention has removed these records, all names are known. */
const OLD_RECORDS_ARE_GONE = `${OWN_NAMES_TABLE}
  where name = '${ANY_NAME}' and not exists (select 1 from ${LOG_TABLE} where observed_time <= until)`;

/** The file can be read, but not used by this version. The message contains the reason and the remedy. */
export class ForeignFileError extends Error {
  override readonly name = 'ForeignFileError';
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
    `its tables have version ${version}, and this program supports version ${SCHEMA_VERSION}. Run the program that wrote it, or move the file away`,
  );
}

/** Writes only if necessary: a file on a full disk can be opened, too. */
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
