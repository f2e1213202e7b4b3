import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { THREAD_ARGUMENTS } from '../../support/thread-arguments.ts';
import { COUNT, never, query, startedOn, temporaryPath } from './emitting.ts';
import { streamParts } from './stream-parts.ts';

const ROUNDS = 8;
const SCRIPT = fileURLToPath(new URL('./writing-process.ts', import.meta.url));

/** Writes from a place on; killed some time after its first flush (`killAfterMs`), or left to write all. */
async function write(path: string, seed: number, from: number, killAfterMs?: number): Promise<number> {
  const child = spawn(process.execPath, [...THREAD_ARGUMENTS, SCRIPT, path, String(seed), String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let flushed = from;
  for await (const line of createInterface({ input: child.stdout })) {
    if (flushed === from && killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    flushed = Number(line.split(' ')[1]);
  }
  const [code, signal] = (await exited) as [number | null, string | null];
  if (signal !== 'SIGKILL') expect(code).toBe(0);
  return flushed;
}

test('stores every record once, if it is killed at any moment and records are emitted again', {
  timeout: 600_000,
}, async () => {
  const path = await temporaryPath();
  const seed = Math.floor(Math.random() * 1e6);
  let flushed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // As if the aggregator's own state were older than the store's.
    const from = Math.max(0, flushed - (round % 4) * 3);
    flushed = Math.max(flushed, await write(path, seed, from, (round * 37 + seed) % 150));
    if (flushed >= streamParts.count) break;
    await expectWhole(path, flushed, seed);
  }
  await write(path, seed, Math.max(0, flushed - 20));
  const emitter = await startedOn(path);
  const n = streamParts.records;
  expect(await query(emitter, COUNT), `seed ${seed}`).toEqual([{ n, distinct_n: n }]);
  expect(await query(emitter, 'select count(distinct body) as n from log_records')).toEqual([{ n }]);
});

/** All that was flushed is there, nothing is there twice, and the ranges hold the rows that are there. */
async function expectWhole(path: string, flushed: number, seed: number): Promise<void> {
  const emitter = await startedOn(path);
  const [counted] = await query(emitter, COUNT);
  const n = Number(counted?.n);
  expect(n, `seed ${seed}`).toBe(counted?.distinct_n);
  expect(n, `seed ${seed}`).toBeGreaterThanOrEqual((streamParts.records / streamParts.count) * flushed);
  const [covered] = await query(
    emitter,
    `select coalesce(sum(each[2] - each[1]), 0)::bigint as bytes
      from (select unnest(ranges::json::bigint[][]) as each from streams)`,
  );
  const [stored] = await query(
    emitter,
    'select coalesce(sum(length(body) + 1), 0)::bigint as bytes from log_records',
  );
  expect(covered, `seed ${seed}`).toEqual(stored);
  // The next process can open the file only when this one has closed it.
  await emitter.stop(never);
}
