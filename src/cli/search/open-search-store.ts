import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { DuckDbEmitter } from '../../emitters/duckdb/duckdb-emitter.ts';
import { createLogSearch } from '../../logstore/logs/create-log-search.ts';
import type { SqlDatabase } from '../../logstore/sql/sql-database.ts';
import { batchOf } from '../../records/batch.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createLogger } from '../../runtime/logging/logger.ts';
import { CommandError } from '../command-error.ts';
import type { LogSource } from '../monitor/logs/log-source.ts';
import { type ReadOptions, readRecords } from './read-records.ts';

export interface SearchStore extends LogSource {
  readonly database: SqlDatabase;
  close(): Promise<void>;
}

/** A store without limits of size and age. */
const CONFIGURATION = {
  memory: 512 * 1024 ** 2,
  threads: 2,
  retention_age: 0,
  retention_size: 0,
};
const TIMEOUT_MS = 10 * 60_000;

/** Reads the records of these files into a store in a temporary directory, which `close` removes. */
export async function openFileStore(
  paths: readonly string[],
  reading: ReadOptions,
  signal: AbortSignal,
): Promise<SearchStore> {
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-search-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  const emitter = emitterAt(join(directory, 'logs.duckdb'));
  const close = async () => {
    await emitter.stop(AbortSignal.timeout(TIMEOUT_MS));
    await remove();
  };
  try {
    await emitter.start();
    for (const path of paths) await store(emitter, readRecords(path, reading, signal), signal);
    return searchStore(emitter.database, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens the store of an aggregator that is not running. */
export async function openDatabaseStore(path: string): Promise<SearchStore> {
  const emitter = emitterAt(path);
  await emitter.start();
  const close = () => emitter.stop(AbortSignal.timeout(TIMEOUT_MS));
  return searchStore(emitter.database, close);
}

function searchStore(database: SqlDatabase, close: () => Promise<void>): SearchStore {
  return { ...createLogSearch(database, { clock: systemClock, timeoutMs: TIMEOUT_MS }), database, close };
}

function emitterAt(path: string): DuckDbEmitter {
  return new DuckDbEmitter(
    { ...CONFIGURATION, path },
    {
      name: 'search',
      state: undefined,
      stateDirectory: '',
      // The store reports failures in its answers.
      logger: createLogger({ level: 'fatal', name: 'search', pretty: false }),
      metrics: new Registry(),
      clock: systemClock,
    },
  );
}

async function store(
  emitter: DuckDbEmitter,
  batches: AsyncIterable<Parameters<typeof batchOf>[0][number]>,
  signal: AbortSignal,
): Promise<void> {
  for await (const batch of batches) {
    for (const outcome of [await emitter.emit(batchOf([batch])), await emitter.flush()]) {
      signal.throwIfAborted();
      if (outcome.kind !== 'delivered')
        throw new CommandError(`Cannot store the records: ${outcome.reason}.`);
    }
  }
}
