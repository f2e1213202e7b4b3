import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { freePorts } from '../testkit/free-ports.ts';
import { layOutPair } from '../testkit/pair.ts';
import { PRODUCT_ENTRY, productIsBuilt, untilReady } from '../testkit/product.ts';
import { RunningProcess, runCommand } from '../testkit/running-process.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 30_000, interval: 50 });

/** 0 makes each write of the process to a file fail, as a broken disk does; a process that runs keeps all else. */
async function limitFileSize({ pid }: RunningProcess, limit: string): Promise<void> {
  await runCommand({ name: 'prlimit', command: 'prlimit', args: ['--pid', String(pid), `--fsize=${limit}`] });
}

async function readiness(http: string) {
  const response = await fetch(`http://${http}/health/ready`);
  return { status: response.status, text: await response.text() };
}

async function runningPair() {
  const pair = await layOutPair({
    directory: await temporaryDirectory(),
    // By default a batch that is not full waits 15 s.
    aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '100ms' },
  });
  const aggregator = pair.startAggregator();
  const collector = pair.startCollector();
  onTestFinished(async () => {
    await Promise.all([collector.kill(), aggregator.kill()]);
  });
  await untilReady(aggregator, pair.aggregatorHttp);
  await untilReady(collector, pair.collectorHttp);
  let written = '';
  const write = async (line: string) => {
    written += line;
    await appendFile(join(pair.logDirectory, 'a.log'), line);
  };
  const delivered = async () => expect(await readFile(pair.outputPath, 'utf8')).toBe(written);
  await write('one\n');
  await until(delivered);
  return { pair, aggregator, collector, write, delivered };
}

it.runIf(process.platform === 'linux' && productIsBuilt()).each(['aggregator', 'collector'] as const)(
  '%s answers 503 for readiness while its writes fail, 200 afterwards, and no line is lost',
  async (half) => {
    const { pair, write, delivered, ...processes } = await runningPair();
    const http = half === 'aggregator' ? pair.aggregatorHttp : pair.collectorHttp;
    await limitFileSize(processes[half], '0:unlimited');
    await write('two\n');
    await until(async () => expect((await readiness(http)).status).toBe(503));
    expect((await readiness(http)).text).toMatch(/EFBIG|file too large/i);
    expect((await fetch(`http://${http}/health/live`)).status).toBe(200);
    await limitFileSize(processes[half], 'unlimited:unlimited');
    await until(async () => expect((await readiness(http)).status).toBe(200));
    await write('three\n');
    await until(delivered);
    expect(processes[half].exit).toBeUndefined();
  },
  90_000,
);

it.runIf(process.platform === 'linux' && productIsBuilt())(
  'an aggregator that cannot write its log works, and ends on SIGTERM',
  async () => {
    const [listen, http] = await freePorts(2);
    const aggregator = RunningProcess.start({
      name: 'aggregator',
      command: 'sh',
      args: ['-c', 'exec "$0" "$@" 2>/dev/full', process.execPath, PRODUCT_ENTRY, 'aggregator'],
      env: {
        AGGREGATOR_LISTEN_ADDRESS: `127.0.0.1:${listen}`,
        AGGREGATOR_HTTP_ADDRESS: `127.0.0.1:${http}`,
        AGGREGATOR_STATE_DIRECTORY: await temporaryDirectory(),
        AGGREGATOR_BLACKHOLE_CONFIGURATION: '{}',
      },
    });
    onTestFinished(async () => void (await aggregator.kill()));
    await untilReady(aggregator, `127.0.0.1:${http}`);
    expect(await aggregator.stop()).toEqual({ code: 0, signal: null });
  },
  60_000,
);
