import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { freePorts } from '../testkit/free-ports.ts';
import { layOutPair } from '../testkit/pair.ts';
import { PRODUCT_ENTRY, startProduct, untilReady } from '../testkit/product.ts';
import { type RunningProcess, runCommand } from '../testkit/running-process.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

/** The built product as a user has it, without any emitter configured: logs in, questions answered. */

const PATIENCE = { timeout: 30_000, interval: 200 };

const accessLine = (number: number, status: number) =>
  `192.0.2.${number % 250} - ann [${clfTime(new Date())}] "GET /shop/${number} HTTP/1.1" ${status} ${number}\n`;

function clfTime(time: Date): string {
  const [, , day, month, year, clock] = /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(time.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${clock} +0000`.replace(/^(\d+)\/(\w+)\/(\d+)/, '$1/$2/$3');
}

function monitor(httpAddress: string, ...args: readonly string[]): Promise<string> {
  return runCommand({
    name: 'monitor',
    command: process.execPath,
    args: [PRODUCT_ENTRY, 'monitor', ...args],
    env: { AGGREGATOR_HTTP_ADDRESS: httpAddress },
  });
}

async function objects<T>(text: Promise<string>): Promise<readonly T[]> {
  const lines = (await text).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as T);
}

function untilFinished(child: RunningProcess): RunningProcess {
  onTestFinished(async () => void (await child.kill()));
  return child;
}

interface Entry {
  readonly body: string;
}

describe('an aggregator without an emitter', () => {
  test('keeps what a collector reads once from an access log, and is asked about it', async () => {
    const directory = await temporaryDirectory();
    const pair = await layOutPair({ directory, emitters: {} });
    const aggregator = untilFinished(pair.startAggregator());
    await untilReady(aggregator, pair.aggregatorHttp);
    const path = join(directory, 'access.log');
    await writeFile(path, [1, 2, 3, 4].map((n) => accessLine(n, n === 3 ? 503 : 200)).join(''));
    const read = () =>
      runCommand({
        name: 'collector',
        command: process.execPath,
        args: [PRODUCT_ENTRY, 'collector', '--source', path, '--json'],
        env: {
          COLLECTOR_STATE_DIRECTORY: pair.collectorState,
          COLLECTOR_AGGREGATOR_ADDRESS: pair.aggregatorAddress,
          COLLECTOR_HTTP_ADDRESS: pair.collectorHttp,
        },
      });
    expect(JSON.parse(await read())).toMatchObject({ records: 4 });
    await appendFile(path, accessLine(5, 500));
    expect(JSON.parse(await read())).toMatchObject({ records: 1 });
    expect(JSON.parse(await read())).toMatchObject({ records: 0 });

    const all = () => objects<Entry>(monitor(pair.aggregatorHttp, 'logs', '--json'));
    await vi.waitFor(async () => expect(await all()).toHaveLength(5), PATIENCE);
    const errors = await objects<Entry>(
      monitor(pair.aggregatorHttp, 'logs', '--severity', 'error', '--json'),
    );
    expect(errors.map(({ body }) => body)).toEqual([
      expect.stringContaining('/shop/3 '),
      expect.stringContaining('/shop/5 '),
    ]);
    const values = monitor(pair.aggregatorHttp, 'logs', '--values', 'section(path)', '--json');
    expect(await objects(values)).toEqual([{ value: 'shop', count: 5 }]);

    // What is stored outlives the process, and is not stored again.
    await aggregator.stop();
    untilFinished(pair.startAggregator());
    await vi.waitFor(async () => expect(await all()).toHaveLength(5), PATIENCE);
  });

  test('has metrics and alerts, which page', async () => {
    const directory = await temporaryDirectory();
    const pair = await layOutPair({ directory, emitters: {}, format: 'combined' });
    const aggregator = untilFinished(pair.startAggregator());
    await untilReady(aggregator, pair.aggregatorHttp);
    const create = 'metrics create hits --period 1 --refresh-rate 1 --end-offset 1 --start-offset 1h';
    await monitor(pair.aggregatorHttp, ...create.split(' '));
    await monitor(
      pair.aggregatorHttp,
      ...'alerts create busy --metric hits --stat max --op >= --level 3 --window 1h --check 1'.split(' '),
    );
    untilFinished(pair.startCollector());
    await writeFile(join(pair.logDirectory, 'a.log'), Array(7).fill(accessLine(1, 200)).join(''));

    await vi.waitFor(async () => {
      const [report] = await objects<{ states: readonly { state: string; observed: number }[] }>(
        monitor(pair.aggregatorHttp, 'alerts', 'get', 'busy', '--json'),
      );
      expect(report?.states).toMatchObject([{ state: 'firing', observed: 7 }]);
    }, PATIENCE);
    const points = monitor(pair.aggregatorHttp, 'metrics', 'get', 'hits', '--json');
    expect(await objects<{ value: number }>(points)).toContainEqual(expect.objectContaining({ value: 7 }));
    expect(aggregator.stderr).toContain('"incident":"alert:busy"');
  });
});

test('a standalone without an emitter prints and keeps', async () => {
  const directory = await temporaryDirectory();
  const [first, second] = (await freePorts(2)) as [number, number];
  const httpAddress = `127.0.0.1:${first}`;
  const path = join(directory, 'a.log');
  await writeFile(path, 'one\ntwo\n');
  let printed = '';
  const child = untilFinished(
    startProduct({
      subcommand: 'standalone',
      args: ['--tail', path],
      env: {
        XDG_STATE_HOME: directory,
        COLLECTOR_STATE_DIRECTORY: join(directory, 'collector'),
        AGGREGATOR_STATE_DIRECTORY: join(directory, 'aggregator'),
        AGGREGATOR_HTTP_ADDRESS: httpAddress,
        COLLECTOR_HTTP_ADDRESS: `127.0.0.1:${second}`,
      },
      onStdout: (chunk) => {
        printed += String(chunk);
      },
    }),
  );
  await untilReady(child, httpAddress);
  await vi.waitFor(async () => {
    const entries = await objects<Entry>(monitor(httpAddress, 'logs', '--json'));
    expect(entries.map(({ body }) => body)).toEqual(['one', 'two']);
  }, PATIENCE);
  expect(printed).toBe('one\ntwo\n');
});
