import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseDuckDbConfiguration } from '../../../src/emitters/duckdb/configuration.ts';
import { WorkerEmitter } from '../../../src/emitters/worker/worker-emitter.ts';
import type { SqlDatabase } from '../../../src/logstore/sql/sql-database.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { THREAD_ARGUMENTS } from '../../support/thread-arguments.ts';

const never = new AbortController().signal;
const ENDLESS = 'select count(*) as n from range(1000000000000) as t(i) where hash(i) % 7 = 3';
const COUNT = 'select count(*) as n from log_records';

interface Thread {
  readonly emitter: WorkerEmitter;
  readonly database: SqlDatabase;
  readonly path: string;
}

function inThread(path: string, faults?: string): Thread {
  const [configured] = parseDuckDbConfiguration(JSON.stringify({ path }));
  const emitter = new WorkerEmitter({
    type: 'duckdb',
    configuration: configured?.configuration,
    environment: emitterEnvironment({ clock: systemClock }),
    execArgv: faults === undefined ? THREAD_ARGUMENTS : [...THREAD_ARGUMENTS, '--import', faults],
  });
  onTestFinished(() => emitter.stop(AbortSignal.timeout(3000)));
  const { database } = emitter;
  if (database === undefined) throw new Error('There is no database.');
  return { emitter, database, path };
}

async function started(faults?: string): Promise<Thread> {
  const thread = inThread(join(await temporaryDirectory(), 'logs.duckdb'), faults);
  await thread.emitter.start();
  return thread;
}

async function ask(database: SqlDatabase, text: string, timeoutMs = 10_000): Promise<unknown> {
  const [rows] = await database.run([{ text, values: [] }], { timeoutMs, isReadOnly: true });
  return rows;
}

/** A module that the thread loads first: runs `behaviour` when the records of a batch contain `trigger`. */
function misbehaving(trigger: string, behaviour: string): string {
  return `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    const on = parentPort?.on.bind(parentPort);
    if (on) parentPort.on = (name, listener) => on(name, (message) => {
      const slice = message.call?.batch?.slices[0];
      if (slice && Buffer.from(slice.data).includes('${trigger}')) ${behaviour};
      listener(message);
    });
  `)}`;
}

async function isOpen(path: string): Promise<boolean> {
  const descriptors = await readdir('/proc/self/fd');
  const targets = await Promise.all(
    descriptors.map((each) => readlink(`/proc/self/fd/${each}`).catch(() => '')),
  );
  return targets.some((target) => target.startsWith(path));
}

describe('the database of a store in a thread', () => {
  test('has its dialect before the thread starts, but is unavailable', async () => {
    const { database } = inThread('/nonexistent/logs.duckdb');
    expect(database.dialect).toBe('duckdb');
    await expect(ask(database, 'select 1')).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('runs several queries at once while the emitter writes', async () => {
    const { emitter, database } = await started();
    const asked = Promise.all([1, 2, 3, 4].map((n) => ask(database, `select ${n} as n`)));
    await emitter.emit(batchOf([recordBatch(lines(5))]), never);
    expect(await emitter.flush(never)).toEqual({ kind: 'delivered' });
    expect(await asked).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }], [{ n: 4 }]]);
    expect(await ask(database, COUNT)).toEqual([{ n: 5 }]);
  });

  test('reports the kind of a failure', async () => {
    const { database } = await started();
    await expect(ask(database, 'selec')).rejects.toMatchObject({ name: 'SqlError', kind: 'statement' });
    await expect(ask(database, ENDLESS, 100)).rejects.toMatchObject({ name: 'SqlError', kind: 'timeout' });
  });

  test('rejects queries of a stuck thread with a timeout', async () => {
    const { emitter, database } = await started(misbehaving('stuck', 'for (;;)'));
    const emitted = emitter.emit(batchOf([recordBatch(['stuck\n'])]), AbortSignal.timeout(100));
    await expect(ask(database, 'select 1', 100)).rejects.toMatchObject({ kind: 'timeout' });
    expect(await emitted).toMatchObject({ kind: 'retry', rolledBack: true });
  });

  test('is unavailable after its thread ends, and available with the next', async () => {
    const { emitter, database } = await started(misbehaving('last', 'process.exit(9)'));
    await emitter.emit(batchOf([recordBatch(lines(5))]), never);
    await emitter.flush(never);
    const emitted = emitter.emit(batchOf([recordBatch(['last\n'])]), never);
    expect(await emitted).toMatchObject({ kind: 'retry', rolledBack: true });
    await expect(ask(database, 'select 1')).rejects.toMatchObject({ kind: 'unavailable' });
    const batch = recordBatch(lines(5));
    expect(await emitter.emit(batchOf([batch]), never)).toEqual({ kind: 'delivered' });
    await emitter.flush(never);
    expect(await ask(database, COUNT)).toEqual([{ n: 10 }]);
  });
});

describe('stopped', () => {
  test('during a query, it ends the query and leaves nothing open', async () => {
    const { emitter, database, path } = await started();
    const asked = ask(database, ENDLESS, 60_000).catch((error: { kind: string }) => error.kind);
    await ask(database, 'select 1');
    await emitter.stop(AbortSignal.timeout(10_000));
    expect(await asked).toBe('unavailable');
    expect(await isOpen(path)).toBe(false);
  });

  test('without time left, it lets the thread end in the background; opening the file meanwhile causes a retry', async () => {
    const first = await started();
    const batch = recordBatch(lines(20_000));
    await first.emitter.emit(batchOf([batch]), never);
    const flushed = first.emitter.flush(never);
    const asked = ask(first.database, ENDLESS, 60_000).catch((error: { kind: string }) => error.kind);
    await first.emitter.stop(AbortSignal.abort());
    expect(await asked).toBe('unavailable');
    await flushed;
    const second = inThread(first.path);
    await second.emitter.start();
    await expect
      .poll(async () => (await second.emitter.emit(batchOf([batch]), never)).kind, { timeout: 20_000 })
      .toBe('delivered');
    expect(await second.emitter.flush(never)).toEqual({ kind: 'delivered' });
    expect(await ask(second.database, COUNT)).toEqual([{ n: 20_000 }]);
  });

  test('repeatedly, with a new start each time', async () => {
    const { path, emitter } = await started();
    await emitter.stop(AbortSignal.timeout(10_000));
    const batch = recordBatch(lines(100));
    for (let round = 0; round < 3; round++) {
      const thread = inThread(path);
      await thread.emitter.start();
      expect(await thread.emitter.emit(batchOf([batch]), never)).toEqual({ kind: 'delivered' });
      expect(await thread.emitter.flush(never)).toEqual({ kind: 'delivered' });
      expect(await ask(thread.database, COUNT)).toEqual([{ n: 100 }]);
      await thread.emitter.stop(AbortSignal.timeout(10_000));
    }
  });
});
