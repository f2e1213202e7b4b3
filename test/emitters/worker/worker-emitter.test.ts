import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { EmitterEnvironment, EmitterState } from '../../../src/emitters/emitter.ts';
import { parseFileConfiguration } from '../../../src/emitters/file/configuration.ts';
import { movableBatch } from '../../../src/emitters/worker/messages.ts';
import { MetricsMirror } from '../../../src/emitters/worker/metrics-mirror.ts';
import { WorkerEmitter } from '../../../src/emitters/worker/worker-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { sliceRecords } from '../../../src/records/record-batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { capturedOutput, emitterEnvironment } from '../../support/emitter-environment.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { THREAD_ARGUMENTS } from '../../support/thread-arguments.ts';

const never = new AbortController().signal;

function inThread(
  type: string,
  configuration: unknown,
  environment: EmitterEnvironment,
  faults = '',
): WorkerEmitter {
  const emitter = new WorkerEmitter({
    type,
    configuration,
    environment,
    execArgv: faults === '' ? THREAD_ARGUMENTS : [...THREAD_ARGUMENTS, '--import', faults],
  });
  onTestFinished(() => emitter.stop(AbortSignal.timeout(5000)));
  return emitter;
}

/** A module that the thread loads first: misbehaves when the records of a batch contain `trigger`. */
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

test('prints through the standard output of the process, in order', async () => {
  const stdout = capturedOutput();
  const emitter = inThread('text', { format: 'body' }, emitterEnvironment({ stdout }));
  await emitter.start();
  const batch = batchOf([recordBatch(lines(3)), recordBatch(lines(2, 'more'))]);
  expect(await emitter.emit(batch, never)).toEqual({ kind: 'delivered' });
  expect(await emitter.flush(never)).toEqual({ kind: 'delivered' });
  expect(stdout.bytes().toString()).toBe('line 0\nline 1\nline 2\nmore 0\nmore 1\n');
});

test('reports a closed standard output as without a thread', async () => {
  const stdout = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' })),
  });
  const emitter = inThread('text', { format: 'body' }, emitterEnvironment({ stdout }));
  await emitter.start();
  expect(await emitter.emit(batchOf([recordBatch(lines(1))]), never)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('EPIPE'),
  });
});

describe('the file emitter in a thread', () => {
  async function fileInThread(state?: EmitterState, faults?: string) {
    const path = join(await temporaryDirectory(), 'out.log');
    const [configured] = parseFileConfiguration(JSON.stringify({ path }));
    const environment = emitterEnvironment({ state, clock: systemClock });
    const emitter = inThread('file', configured?.configuration, environment, faults);
    return { path, emitter, environment };
  }

  test('has its logs and metrics in the process', async () => {
    const { emitter, environment, path } = await fileInThread();
    await writeFile(path, 'theirs\n');
    await emitter.start();
    await emitter.emit(batchOf([recordBatch(lines(1))]), never);
    await emitter.flush(never);
    expect(environment.logs).toMatchObject([{ level: 40, path, bytes: 7 }]);
    expect(await environment.metrics.metrics()).toContain(
      'aggregator_emitter_file_open_files{emitter="test"} 1',
    );
  });

  test('loses and duplicates nothing when its thread ends at any time', async () => {
    const faults = misbehaving('poison', 'process.exit(7)');
    const { emitter, path } = await fileInThread(undefined, faults);
    await emitter.start();
    await emitter.emit(batchOf([recordBatch(['one\n'])]), never);
    expect((await emitter.flush(never)).kind).toBe('delivered');
    await emitter.emit(batchOf([recordBatch(['unflushed\n'])]), never);
    expect(await emitter.emit(batchOf([recordBatch(['poison\n'])]), never)).toEqual({
      kind: 'retry',
      reason: "the emitter's thread ended with code 7",
      rolledBack: true,
    });
    expect(await emitter.emit(batchOf([recordBatch(['two\n'])]), never)).toEqual({ kind: 'delivered' });
    expect((await emitter.flush(never)).kind).toBe('delivered');
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n');
  });

  test('returns rolledBack when its thread ended between two calls', async () => {
    const faults = misbehaving('last', 'setTimeout(() => process.exit(8), 50)');
    const { emitter, environment, path } = await fileInThread(undefined, faults);
    await emitter.start();
    await emitter.emit(batchOf([recordBatch(['last\n'])]), never);
    await vi.waitFor(
      () => expect(environment.logs).toMatchObject([{ level: 40, how: 'ended with code 8' }]),
      10_000,
    );
    expect(await emitter.flush(never)).toMatchObject({ kind: 'retry', rolledBack: true });
    await emitter.emit(batchOf([recordBatch(['again\n'])]), never);
    expect((await emitter.flush(never)).kind).toBe('delivered');
    expect(await readFile(path, 'utf8')).toBe('again\n');
  });
});

describe('a thread that hangs', () => {
  const hanging = misbehaving('line', 'for (;;)');

  test('is terminated when an aborted call does not settle', async () => {
    const emitter = inThread('blackhole', {}, emitterEnvironment({ clock: systemClock }), hanging);
    await emitter.start();
    const outcome = await emitter.emit(batchOf([recordBatch(lines(1))]), AbortSignal.timeout(20));
    expect(outcome).toMatchObject({ kind: 'retry', rolledBack: true });
  });

  test('is terminated at the deadline of stop', async () => {
    const emitter = inThread('blackhole', {}, emitterEnvironment(), hanging);
    await emitter.start();
    const emitted = emitter.emit(batchOf([recordBatch(lines(1))]), never);
    await emitter.stop(AbortSignal.timeout(50));
    expect(await emitted).toMatchObject({ kind: 'retry' });
  });
});

test('a thread that cannot start reports the reason', async () => {
  const emitter = inThread('no-such-type', {}, emitterEnvironment());
  await expect(emitter.start()).rejects.toThrow('no emitter type "no-such-type"');
});

test('returns retry before start and after stop', async () => {
  const emitter = inThread('blackhole', {}, emitterEnvironment());
  expect(await emitter.emit(batchOf([recordBatch(lines(1))]), never)).toMatchObject({ kind: 'retry' });
  await emitter.start();
  await emitter.stop(never);
  expect(await emitter.flush(never)).toMatchObject({ kind: 'retry' });
});

test('a batch is transferred without the buffer that contains it', () => {
  const whole = recordBatch(lines(10_000));
  const batch = batchOf([sliceRecords(whole, 5, 6)]);
  const { batch: moved, transfer } = movableBatch(batch);
  expect(moved.slices[0]?.data.buffer.byteLength).toBe(batch.byteCount);
  expect(Buffer.from(moved.slices[0]?.data ?? [])).toEqual(Buffer.from(batch.slices[0]?.data ?? []));
  expect(transfer).toHaveLength(2);
});

test('the column of peers is transferred without that of the other records', () => {
  const peers = [new Map([['network.peer.address', '10.0.0.1']])];
  const whole = { ...recordBatch(lines(10_000)), peers, recordPeers: new Uint32Array(10_000).fill(1) };
  const { batch: moved, transfer } = movableBatch(batchOf([sliceRecords(whole, 5, 7)]));
  const { recordPeers } = moved.slices[0] ?? {};
  expect(recordPeers).toEqual(Uint32Array.of(1, 1));
  expect(recordPeers?.buffer.byteLength).toBe(8);
  expect(transfer).toContain(recordPeers?.buffer);
});

test('counters of a new thread are added to those of the old one', async () => {
  const registry = new Registry();
  const mirror = new MetricsMirror(registry);
  const metric = (type: string, value: number) => ({
    name: `m_${type}`,
    help: 'h',
    type,
    values: [{ value, labels: { emitter: 'x' } }],
  });
  mirror.update([metric('counter', 3), metric('gauge', 3)]);
  mirror.update([metric('counter', 5), metric('gauge', 1)]);
  mirror.reset();
  mirror.update([metric('counter', 2), metric('gauge', 2), metric('histogram', 1)]);
  expect(await registry.metrics()).toContain('m_counter{emitter="x"} 7');
  expect(await registry.metrics()).toContain('m_gauge{emitter="x"} 2');
});
