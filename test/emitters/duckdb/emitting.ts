import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, onTestFinished } from 'vitest';
import { parseDuckDbConfiguration } from '../../../src/emitters/duckdb/configuration.ts';
import { DuckDbEmitter } from '../../../src/emitters/duckdb/duckdb-emitter.ts';
import type { Emitter, EmitterContext } from '../../../src/emitters/emitter.ts';
import type { SqlDatabase, SqlRow } from '../../../src/logstore/sql/sql-database.ts';
import { batchOf } from '../../../src/records/batch.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

export const never: AbortSignal = new AbortController().signal;

export type Store = Emitter & { readonly database: SqlDatabase };

/**
 * An emitter on this file, stopped when the test has finished. It keeps records of any age: those of tests are years old,
 * and the retention begins a minute after the start, which a test on a busy machine can reach.
 */
export function emitterOn(
  path: string,
  settings: Record<string, unknown> = {},
  context: Partial<EmitterContext> = {},
): Store {
  const [configured] = parseDuckDbConfiguration(JSON.stringify({ path, retention_age: 0, ...settings }));
  if (configured === undefined) throw new Error('No emitter is configured.');
  const environment = emitterEnvironment({ clock: systemClock, ...context });
  const emitter = new DuckDbEmitter(configured.configuration, environment);
  onTestFinished(() => emitter.stop(AbortSignal.timeout(10_000)));
  return emitter;
}

export async function startedOn(...options: Parameters<typeof emitterOn>): Promise<Store> {
  const emitter = emitterOn(...options);
  await emitter.start();
  return emitter;
}

export async function temporaryPath(): Promise<string> {
  return join(await temporaryDirectory(), 'logs.duckdb');
}

export async function deliver(emitter: Store, ...slices: readonly RecordBatch[]): Promise<void> {
  expect(await emitter.emit(batchOf(slices), never)).toEqual({ kind: 'delivered' });
  expect(await emitter.flush(never)).toEqual({ kind: 'delivered' });
}

/** The rows that one statement brings. */
export async function query(
  emitter: Pick<Store, 'database'>,
  text: string,
  timeoutMs = 120_000,
): Promise<readonly SqlRow[]> {
  const [rows] = await emitter.database.run([{ text, values: [] }], { timeoutMs, isReadOnly: true });
  return rows ?? [];
}

/** Changes a file that no emitter has open. */
export async function change(path: string, statements: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  for (const each of statements) await connection.run(each);
  connection.closeSync();
  instance.closeSync();
}

export const COUNT =
  'select count(*) as n, count(distinct (stream, position)) as distinct_n from log_records';
