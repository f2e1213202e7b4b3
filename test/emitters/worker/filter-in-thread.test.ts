import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parseDuckDbConfiguration } from '../../../src/emitters/duckdb/configuration.ts';
import type { FilterErrorReport, FilterSource } from '../../../src/emitters/filtering/filter-source.ts';
import { WorkerEmitter } from '../../../src/emitters/worker/worker-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { THREAD_ARGUMENTS } from '../../support/thread-arguments.ts';

const never = new AbortController().signal;

/** Ends the thread when a batch contains `poison`. */
const POISON = `data:text/javascript,${encodeURIComponent(`
  import { parentPort } from 'node:worker_threads';
  const on = parentPort?.on.bind(parentPort);
  if (on) parentPort.on = (name, listener) => on(name, (message) => {
    const slice = message.call?.batch?.slices[0];
    if (slice && Buffer.from(slice.data).includes('poison')) process.exit(7);
    listener(message);
  });
`)}`;

async function store(text: string | undefined) {
  const directory = await temporaryDirectory();
  const filter = (of: string): FilterSource => ({
    name: 'web',
    file: join(directory, 'web.filter'),
    text: of,
  });
  const [configured] = parseDuckDbConfiguration(JSON.stringify({ path: join(directory, 'logs.duckdb') }));
  const reports: FilterErrorReport[] = [];
  const emitter = new WorkerEmitter({
    type: 'duckdb',
    configuration: configured?.configuration,
    environment: emitterEnvironment({
      clock: systemClock,
      ...(text !== undefined && { filter: filter(text) }),
      onFilterErrors: (report) => reports.push(report),
    }),
    execArgv: [...THREAD_ARGUMENTS, '--import', POISON],
  });
  onTestFinished(() => emitter.stop(AbortSignal.timeout(5000)));
  await emitter.start();
  const emit = async (...bodies: readonly string[]) => {
    const batch = batchOf([recordBatch(bodies.map((body) => `${body}\n`))]);
    return (await emitter.emit(batch, never)).kind;
  };
  const stored = async () => {
    expect((await emitter.flush(never)).kind).toBe('delivered');
    const statement = { text: 'select body from log_records', values: [] };
    const [rows] = (await emitter.database?.run([statement], { timeoutMs: 30_000, isReadOnly: true })) ?? [];
    return JSON.stringify(rows);
  };
  return { emitter, emit, stored, filter, reports };
}

test('uses the filter that it gets while it runs, and none again', async () => {
  const { emitter, emit, stored, filter } = await store(undefined);
  await emit('a1', 'b1');
  await emitter.flush(never);
  await emitter.useFilter(filter('drop if body starts_with "a"'));
  await emit('a2', 'b2');
  await emitter.flush(never);
  await emitter.useFilter(undefined);
  await emit('a3');
  const rows = await stored();
  for (const body of ['a1', 'b1', 'b2', 'a3']) expect(rows).toContain(body);
  expect(rows).not.toContain('a2');
});

test('keeps the earlier filter if the new one is invalid', async () => {
  const { emitter, emit, stored, filter } = await store('drop if body starts_with "a"');
  await expect(emitter.useFilter(filter('drop if'))).rejects.toThrow(/web\.filter:1:\d+: /);
  await emit('a1', 'b1');
  const rows = await stored();
  expect(rows).toContain('b1');
  expect(rows).not.toContain('a1');
});

test('begins a new thread with the filter of the last change', async () => {
  const { emitter, emit, stored, filter } = await store(undefined);
  await emitter.useFilter(filter('drop if body starts_with "a"'));
  expect(await emit('poison')).toBe('retry');
  await emit('a1', 'b1');
  const rows = await stored();
  expect(rows).toContain('b1');
  expect(rows).not.toContain('a1');
});

test('reports the errors of the filter by line to the process', async () => {
  const { emitter, emit, filter, reports } = await store('stop if body == "ok"\n[n] := number(body)');
  await emit('x', 'ok', 'y');
  await emitter.flush(never);
  await vi.waitFor(() => expect(reports).toHaveLength(1));
  expect(reports[0]).toMatchObject({
    file: expect.stringMatching(/web\.filter$/),
    total: 2,
    byLine: new Map([[2, 2]]),
    samples: [
      { line: 2, value: 'x' },
      { line: 2, value: 'y' },
    ],
  });
  await emitter.useFilter(filter('[n] := number(body)'));
  await emit('z');
  await emitter.flush(never);
  await vi.waitFor(() => expect(reports).toHaveLength(2));
  expect(reports[1]).toMatchObject({ total: 1, byLine: new Map([[1, 1]]) });
});
