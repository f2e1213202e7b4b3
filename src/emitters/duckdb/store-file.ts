import { mkdir, open, readdir, readFile, readlink, realpath, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DuckDBConnection } from '@duckdb/node-api';
import duckdb, { type Connection, type Database } from '@duckdb/node-bindings';
import type { DuckDbConfiguration } from './configuration.ts';
import { prepareSchema } from './schema.ts';
import { messageOf } from './sql-failure.ts';
import { adviceFor, StoreUnavailable } from './store-unavailable.ts';

/** Beyond the memory, for what is sorted or grouped: on the disk while it is computed. */
const MAX_SPILL = '4GiB';
/**
 * How large the write-ahead log grows before it is worked into the file. What it holds lies in memory, too, and a flush
 * waits while it happens; but each time a part of what the file holds is written anew.
 */
export const CHECKPOINT_BYTES = 32 * 1024 * 1024;
/** So much freed memory is given back at once, rather than kept for later. */
const KEPT_FREE_BYTES = 16 * 1024 * 1024;

/** The database file, open. One in a process, and no other process beside it. */
export class StoreFile {
  readonly path: string;
  readonly #database: Database;
  readonly #connections: Connection[] = [];

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
      file = new StoreFile(path, await openDatabase(path, configuration));
      await file.#prepare();
      return file;
    } catch (error) {
      file?.close();
      throw error instanceof StoreUnavailable ? error : unavailable(path, error);
    }
  }

  /** Both faces of one connection. */
  async connect(): Promise<StoreConnection> {
    const native = await duckdb.connect(this.#database);
    this.#connections.push(native);
    return { native, connection: new DuckDBConnection(native) };
  }

  /** Of the write-ahead log. */
  async logBytes(): Promise<number> {
    // It is not there after a checkpoint.
    const { size } = await stat(`${this.path}.wal`).catch(() => ({ size: 0 }));
    return size;
  }

  /** Safe twice. What is under way on the connections has to be over. */
  close(): void {
    for (const connection of this.#connections.splice(0)) duckdb.disconnect_sync(connection);
    duckdb.close_sync(this.#database);
  }

  async #prepare(): Promise<void> {
    // Left behind by a process that was killed.
    await rm(`${this.path}.tmp`, { recursive: true, force: true });
    const { connection } = await this.connect();
    await connection.run("set global TimeZone = 'UTC'");
    // The newest hundred of many: first which they are, then what they say.
    await connection.run('set global late_materialization_max_rows = 2000');
    await connection.run('set lock_configuration = true');
    await prepareSchema(connection);
    await syncDirectory(dirname(this.path));
  }
}

/** DuckDB flushes its files; that they are there at all is in their directory. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export interface StoreConnection {
  readonly native: Connection;
  readonly connection: DuckDBConnection;
}

/** What a new file begins with; DuckDB writes it at once, but a process may be killed even there. */
const HEADER_BYTES = 3 * 4096;
const MAGIC = 'DUCK';
const MAGIC_OFFSET = 8;

/** A file of our making that never came to hold anything could not be opened any more. */
async function removeUnbegun(path: string): Promise<void> {
  const { size } = await stat(path).catch(() => ({ size: HEADER_BYTES }));
  if (size >= HEADER_BYTES) return;
  const begin = (await readFile(path)).subarray(MAGIC_OFFSET, MAGIC_OFFSET + MAGIC.length);
  if (size === 0 || begin.toString('latin1') === MAGIC) await rm(path);
}

async function openDatabase(path: string, { memory, threads }: DuckDbConfiguration): Promise<Database> {
  const config = duckdb.create_config();
  // The last one closes the door: nothing outside is read, written or loaded by a statement.
  const settings = {
    memory_limit: `${Math.floor(memory / 1024)}KiB`,
    threads: String(threads),
    temp_directory: `${path}.tmp`,
    max_temp_directory_size: MAX_SPILL,
    // Rows lie as they came, which is by time, nearly: a search for a day reads that day.
    preserve_insertion_order: 'true',
    checkpoint_threshold: `${CHECKPOINT_BYTES}B`,
    allocator_flush_threshold: `${KEPT_FREE_BYTES}B`,
    allocator_bulk_deallocation_flush_threshold: `${2 * KEPT_FREE_BYTES}B`,
    storage_compatibility_version: 'latest',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    enable_external_access: 'false',
  };
  for (const [name, value] of Object.entries(settings)) duckdb.set_config(config, name, value);
  return await duckdb.open(path, config);
}

/**
 * DuckDB's lock keeps other processes out, not this one: after a thread was ended in the middle of its work, its database
 * may live on for a while, and two at once would ruin the file.
 */
async function refuseIfOpenHere(path: string): Promise<void> {
  const real = await realpath(path).catch(() => path);
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/self/fd/${descriptor}`).catch(() => '');
    if (target === real) {
      throw new StoreUnavailable(
        `${path} is still open in this process; it is tried again when it has been closed`,
      );
    }
  }
}

function unavailable(path: string, error: unknown): StoreUnavailable {
  const message = messageOf(error);
  return new StoreUnavailable(`${path} cannot be used: ${message}${adviceFor(message)}`);
}
