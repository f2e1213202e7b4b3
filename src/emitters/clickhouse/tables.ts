import { ATTRIBUTE_COLUMNS, LOG_TABLE } from '../../logstore/log-columns.ts';
import {
  isLogsViewOutdated,
  LOGS_VIEW,
  LOGS_VIEW_COMMENT,
  logsViewStatements,
} from '../../logstore/logs-view.ts';
import { OWN_NAMES_TABLE } from '../../logstore/own-names.ts';
import { STORE_TABLES } from '../../logstore/schema.ts';
import { textOf, textOrNull } from '../../logstore/sql/sql-row.ts';
import type { ClickHouseConfiguration } from './configuration.ts';
import type { Connection } from './connection.ts';
import { isDatabaseMissing } from './describe-failure.ts';
import { CHANGE_SETTINGS, QUERY_SETTINGS } from './query-settings.ts';
import { logTable, smallTable } from './table-definitions.ts';
import { TABLE_SETTINGS, TEXT_INDEX } from './text-index.ts';

/** Version of the tables that this code writes. */
export const SCHEMA_VERSION = 1;
const VERSION_TABLE = 'mega_collector_store';

/** Creates the tables if needed and checks their version. Statements of several aggregators may overlap. */
export class Tables {
  readonly #options: TablesOptions;
  #ready: Promise<void> | undefined;

  constructor(options: TablesOptions) {
    this.#options = options;
  }

  /** Resolves immediately once the tables are known to exist. Concurrent callers share one attempt. */
  ready(): Promise<void> {
    this.#ready ??= this.#prepare().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  /** The tables may have been dropped. */
  forget(): void {
    this.#ready = undefined;
  }

  async #prepare(): Promise<void> {
    const version = await this.#version();
    if (version !== undefined && version > SCHEMA_VERSION) {
      throw new Error(
        `its tables have version ${version}, and this program supports version ${SCHEMA_VERSION}. Run the program that wrote them, or set another "database"`,
      );
    }
    if (version === undefined) await this.#create();
    await this.#adjustLogTable();
    if (isLogsViewOutdated(await this.#viewComment())) await this.#command(this.#view());
  }

  /** undefined: there are no tables, or not all of them. */
  async #version(): Promise<number | undefined> {
    const { database } = this.#options.configuration;
    const rows = await this.#rows(
      `select count(*) as tables from system.tables where database = '${database}' and name = '${VERSION_TABLE}'`,
    ).catch(async (error: unknown) => {
      if (!isDatabaseMissing(error)) throw error;
      await this.#options.createDatabase(`create database if not exists ${database}${this.#onCluster}`);
      return [];
    });
    if (Number(rows[0]?.tables ?? 0) === 0) return undefined;
    const [row] = await this.#rows(`select max(version) as version from ${VERSION_TABLE}`);
    const version = row?.version ?? null;
    return version === null ? undefined : Number(version);
  }

  /** The version is written last: an interrupted start creates the rest. */
  async #create(): Promise<void> {
    const { replicated, fsync } = this.#options.configuration;
    const engines = { onCluster: this.#onCluster, replicated, fsync };
    const names = `create table if not exists ${OWN_NAMES_TABLE} (name text primary key)`;
    const version = `create table if not exists ${VERSION_TABLE} (version integer primary key)`;
    await this.#command(logTable(engines));
    for (const statement of [...STORE_TABLES, names, version])
      await this.#command(smallTable(statement, engines));
    await this.#command(this.#view());
    await this.#command(`insert into ${VERSION_TABLE} (version) values (${SCHEMA_VERSION})`);
  }

  /** Adds to a new table, or to that of an earlier version, what a server may not know. */
  async #adjustLogTable(): Promise<void> {
    const { database } = this.#options.configuration;
    const ofTable = `database = '${database}' and table = '${LOG_TABLE}'`;
    const [index] = await this.#rows(
      `select count(*) as indexes from system.data_skipping_indices where ${ofTable} and name = '${TEXT_INDEX.name}'`,
    );
    const change = `alter table ${LOG_TABLE}${this.#onCluster}`;
    if (Number(index?.indexes) === 0)
      await this.#command(`${change} add index if not exists ${TEXT_INDEX.definition}`);
    const [table] = await this.#rows(
      `select create_table_query as query from system.tables where database = '${database}' and name = '${LOG_TABLE}'`,
    );
    const known = await this.#rows('select name from system.merge_tree_settings');
    const names = new Set(known.map((row) => textOf(row, 'name')));
    const query = table === undefined ? '' : textOf(table, 'query');
    const missing = TABLE_SETTINGS.filter(({ name }) => names.has(name) && !query.includes(`${name} = `));
    if (missing.length === 0) return;
    const settings = missing.map(({ name, value }) => `${name} = ${value}`).join(', ');
    await this.#command(`${change} modify setting ${settings}`);
  }

  #view(): string {
    const [statement = ''] = logsViewStatements(ALL_ATTRIBUTES);
    const created = statement.replace(`view ${LOGS_VIEW} as`, `view ${LOGS_VIEW}${this.#onCluster} as`);
    return `${created} final comment '${LOGS_VIEW_COMMENT}'`;
  }

  async #viewComment(): Promise<string | null> {
    const { database } = this.#options.configuration;
    const [row] = await this.#rows(
      `select comment from system.tables where database = '${database}' and name = '${LOGS_VIEW}'`,
    );
    return row === undefined ? null : textOrNull(row, 'comment');
  }

  get #onCluster(): string {
    const { cluster } = this.#options.configuration;
    return cluster === undefined ? '' : ` on cluster '${cluster}'`;
  }

  #rows(query: string) {
    const { connection, configuration, signal } = this.#options;
    return connection().query(query, { settings: QUERY_SETTINGS, timeoutMs: configuration.timeout, signal });
  }

  #command(statement: string): Promise<void> {
    const { connection, configuration, signal } = this.#options;
    const request = { settings: CHANGE_SETTINGS, timeoutMs: configuration.timeout, signal };
    return connection().command(statement, request);
  }
}

/** All attributes, with and without a column; values in `attributes` win, and absent ones are omitted. */
const ALL_ATTRIBUTES = `JSONMergePatch(concat('{', arrayStringConcat(arrayFilter(each -> each <> '', [${ATTRIBUTE_COLUMNS.map(
  ({ attribute, column }) =>
    `ifNull(concat('"${attribute}":', toJSONString(assumeNotNull(${column})), if(isNull(${column}), null, '')), '')`,
).join(', ')}]), ','), '}'), ifNull(attributes, '{}'))`;

export interface TablesOptions {
  readonly connection: () => Connection;
  readonly configuration: ClickHouseConfiguration;
  readonly signal: AbortSignal;
  /** Runs the statement outside of the database, which does not exist. */
  readonly createDatabase: (statement: string) => Promise<void>;
}
