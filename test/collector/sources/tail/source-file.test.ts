import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { inProcessPair } from '../../../support/in-process-pair.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const PATIENT = { timeout: 20_000, interval: 20 };
const line = (n: number) =>
  `10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /page/${n} HTTP/1.1" 200 ${n} "-" "test"\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => line(from + index)).join('');

/** A pair and an access log with ten lines; the aggregator is running. */
async function pairWithLog(format: 'body' | 'json' = 'body') {
  const pair = await inProcessPair(await temporaryDirectory());
  const path = join(pair.directory, 'access {1,2} [x].log');
  await writeFile(path, lines(0, 10));
  const file = JSON.stringify({ path: pair.outputPath, format });
  await (await pair.createAggregator({ AGGREGATOR_FILE_CONFIGURATION: file })).start();
  const environment = { COLLECTOR_TAIL: undefined, COLLECTOR_SOURCE: path } as unknown as Record<
    string,
    string
  >;
  const output = async () => readFile(pair.outputPath, 'utf8').catch(() => '');
  const readOnce = async (more: Record<string, string> = {}) => {
    const collector = await pair.createCollector({ ...environment, ...more });
    await collector.start();
    await collector.drained();
    const accepted = collector.accepted();
    await collector.stop(AbortSignal.timeout(2_000));
    return accepted;
  };
  return { pair, path, environment, output, readOnce };
}

describe('an access log that is read once', () => {
  it('is read to its end, and a second run adds only new records', async () => {
    const { path, readOnce, output } = await pairWithLog();
    expect(await readOnce()).toEqual({ records: 10, bytes: lines(0, 10).length });
    expect(await readOnce()).toEqual({ records: 0, bytes: 0 });
    await appendFile(path, lines(10, 13));
    expect(await readOnce()).toEqual({ records: 3, bytes: lines(10, 13).length });
    await vi.waitFor(async () => expect(await output()).toBe(lines(0, 13)), PATIENT);
  });

  it('after a rotation or truncation: reads the rest of the old file and all of the new one', async () => {
    const { path, readOnce, output } = await pairWithLog();
    await readOnce();
    await appendFile(path, lines(10, 12));
    await rename(path, `${path}.1`);
    await writeFile(path, lines(100, 104));
    expect(await readOnce()).toMatchObject({ records: 6 });
    await writeFile(path, lines(200, 201));
    expect(await readOnce()).toMatchObject({ records: 1 });
    const all = lines(0, 12) + lines(100, 104) + lines(200, 201);
    await vi.waitFor(async () => expect(await output()).toBe(all), PATIENT);
  });

  it('ignores other files of its directory, also those that were read before', async () => {
    const { pair, environment, readOnce } = await pairWithLog();
    await readOnce();
    const other = join(pair.directory, 'other.log');
    await writeFile(other, lines(50, 52));
    const collector = await pair.createCollector({ ...environment, COLLECTOR_SOURCE: other });
    await collector.start();
    await collector.drained();
    expect(collector.accepted()).toMatchObject({ records: 2 });
  });

  it('has the time of reading, when configured', async () => {
    const { readOnce, output } = await pairWithLog('json');
    await readOnce({ COLLECTOR_NOW: '1' });
    await vi.waitFor(async () => expect((await output()).split('\n')).toHaveLength(11), PATIENT);
    for (const text of (await output()).trimEnd().split('\n')) {
      const { time, observed_time, attributes } = JSON.parse(text) as Record<string, unknown>;
      expect(time).toBe(observed_time);
      expect(attributes).toMatchObject({ 'http.request.method': 'GET' });
    }
  });

  it('may be empty', async () => {
    const { path, readOnce } = await pairWithLog();
    await writeFile(path, '');
    expect(await readOnce()).toEqual({ records: 0, bytes: 0 });
  });
});

it('follows an access log that appears later', async () => {
  const { pair, path, environment, output } = await pairWithLog();
  await rename(path, join(pair.directory, 'elsewhere'));
  const collector = await pair.createCollector({ ...environment, COLLECTOR_WATCH: '1' });
  await collector.start();
  await writeFile(path, lines(20, 22));
  await vi.waitFor(async () => expect(await output()).toBe(lines(20, 22)), PATIENT);
  await appendFile(path, lines(22, 23));
  await vi.waitFor(async () => expect(await output()).toBe(lines(20, 23)), PATIENT);
  expect(collector.accepted()).toMatchObject({ records: 3 });
});
