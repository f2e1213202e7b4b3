import { mkdir, readdir, readFile, readlink, realpath, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DuckDBConnection } from '@duckdb/node-api';
import duckdb, { type Connection, type Database } from '@duckdb/node-bindings';
import { syncDirectory } from '../../runtime/files/sync-directory.ts';
import type { DuckDbConfiguration } from './configuration.ts';
import { prepareSchema } from './prepare-schema.ts';
import { messageOf } from './sql-failure.ts';
import { adviceFor, StoreUnavailable } from './store-unavailable.ts';

/** The open database file. It is open only once in a process, and in no other process. */
export class StoreFile {
  readonly path: string;
  readonly #database: Database;
  readonly #connections: Connection[] = [];
  #isAttached = false;

  private constructor(path: string, database: Database) {
    this.path = path;
    this.#database = database;
  }

  /** Rejects with StoreUnavailable. */
  static async open(path: string, configuration: DuckDbConfiguration): Promise<StoreFile> {
    let file: StoreFile | undefined;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await refuseIfOpenHere(path);
      await removeUnbegun(path);
      file = new StoreFile(path, await openEngine(path, configuration));
      await file.#prepare();
      return file;
    } catch (error) {
      file?.close();
      throw error instanceof StoreUnavailable ? error : unavailable(path, error);
    }
  }

  /** Both handles of one connection. */
  async connect(): Promise<StoreConnection> {
    const native = await duckdb.connect(this.#database);
    this.#connections.push(native);
    const connection = new DuckDBConnection(native);
    if (this.#isAttached) await connection.run(`use ${ATTACHED_NAME}`);
    return { native, connection };
  }

  /** Size of the write-ahead log. */
  async logBytes(): Promise<number> {
    // The log does not exist after a checkpoint.
    const { size } = await stat(`${this.path}.wal`).catch(() => ({ size: 0 }));
    return size;
  }

  /** Can be called twice. Statements on the connections must have ended. */
  close(): void {
    for (const connection of this.#connections.splice(0)) duckdb.disconnect_sync(connection);
    duckdb.close_sync(this.#database);
  }

  async #prepare(): Promise<void> {
    // A leftover of a killed process.
    await rm(`${this.path}.tmp`, { recursive: true, force: true });
    await this.#attach();
    const { connection } = await this.connect();
    await connection.run("set global TimeZone = 'UTC'");
    // For the newest hundred of many rows: find them first, then read the other columns.
    await connection.run('set global late_materialization_max_rows = 2000');
    await connection.run('set lock_configuration = true');
    await prepareSchema(connection);
    // DuckDB flushes its files, but not the directory that lists them.
    await syncDirectory(dirname(this.path));
  }

  /** DuckDB accepts the size of row groups for a file that is attached, not for the one that it is opened with. */
  async #attach(): Promise<void> {
    const { connection } = await this.connect();
    await connection.run(
      `attach ${quoted(this.path)} as ${ATTACHED_NAME} (row_group_size ${ROW_GROUP_ROWS}, storage_version 'latest')`,
    );
    // From now on, statements cannot read, write or load anything outside.
    await connection.run('set global enable_external_access = false');
    this.#isAttached = true;
  }
}

/** The name of the file's database in the statements of its connections. They need it only for `use`. */
const ATTACHED_NAME = 'store';
/**
 * The number of rows that DuckDB compresses and writes as a unit. Until then it holds them without compression,
 * in memory that its limit does not include. Its default is 122,880: with half of it, receiving rows needs 100
 * to 200 MB less, and fewer rows are written twice (to the log, then to the table). A file can contain units
 * of both sizes.
 */
export const ROW_GROUP_ROWS = 61_440;

/** Disk space for sorting and grouping beyond the memory, while a query runs. */
const MAX_SPILL = '4GiB';
/**
 * Size of the write-ahead log at which it is checkpointed. The log is also held in memory, and a flush waits
 * for the checkpoint; but each checkpoint rewrites a part of the file.
 */
export const CHECKPOINT_BYTES = 32 * 1024 * 1024;
/** Freed memory above this amount is returned at once, not kept for later. */
const KEPT_FREE_BYTES = 16 * 1024 * 1024;

const IN_MEMORY = ':memory:';

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export interface StoreConnection {
  readonly native: Connection;
  readonly connection: DuckDBConnection;
}

/** The header of a new file; DuckDB writes it at once, but a process may be killed even then. */
const HEADER_BYTES = 3 * 4096;
const MAGIC = 'DUCK';
const MAGIC_OFFSET = 8;

/** Removes our own file without content, which could not be opened any more. */
async function removeUnbegun(path: string): Promise<void> {
  const { size } = await stat(path).catch(() => ({ size: HEADER_BYTES }));
  if (size >= HEADER_BYTES) return;
  const begin = (await readFile(path)).subarray(MAGIC_OFFSET, MAGIC_OFFSET + MAGIC.length);
  if (size === 0 || begin.toString('latin1') === MAGIC) await rm(path);
}

/** An engine without a file: `StoreFile` attaches it. */
async function openEngine(path: string, { memory, threads }: DuckDbConfiguration): Promise<Database> {
  const config = duckdb.create_config();
  const settings = {
    memory_limit: `${Math.floor(memory / 1024)}KiB`,
    threads: String(threads),
    temp_directory: `${path}.tmp`,
    max_temp_directory_size: MAX_SPILL,
    // Rows are stored in the order of arrival, which is nearly by time: a search for a day reads that day.
    preserve_insertion_order: 'true',
    checkpoint_threshold: `${CHECKPOINT_BYTES}B`,
    allocator_flush_threshold: `${KEPT_FREE_BYTES}B`,
    allocator_bulk_deallocation_flush_threshold: `${2 * KEPT_FREE_BYTES}B`,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  };
  for (const [name, value] of Object.entries(settings)) duckdb.set_config(config, name, value);
  return await duckdb.open(IN_MEMORY, config);
}

/**
 * DuckDB's lock excludes other processes, not this one: after a thread was terminated during its work, its
 * database may stay open for a while, and two at once would damage the file.
 */
async function refuseIfOpenHere(path: string): Promise<void> {
  const real = await realpath(path).catch(() => path);
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/self/fd/${descriptor}`).catch(() => '');
    if (target === real) {
      throw new StoreUnavailable(
        `Cannot open ${path}: it is still open in this process. It is retried after it is closed`,
      );
    }
  }
}

function unavailable(path: string, error: unknown): StoreUnavailable {
  const message = messageOf(error);
  return new StoreUnavailable(`Cannot use ${path}: ${message}${adviceFor(message)}`);
}
