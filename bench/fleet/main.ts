/**
 * What a fleet costs at the aggregator: `make bench-fleet [FLEET=5000 STREAMS=20 LEDGER=10000000]`. Collectors are
 * simulated over the real protocol, some thousand in a process. Memory and CPU time of the aggregator are its own; times
 * on a busy machine are upper limits, because the simulated collectors use the same cores.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../testkit/free-ports.ts';
import { cpuSeconds, memoryBytes, ownMemoryBytes, peakMemoryBytes } from '../../testkit/process-usage.ts';
import { startProduct, untilReady } from '../../testkit/product.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';
import { table } from '../table.ts';
import { Fleet } from './fleet.ts';
import { fillLedger } from './large-ledger.ts';

const COLLECTORS = Number(process.env.FLEET || 5_000);
const STREAMS = Number(process.env.STREAMS || 20);
const LEDGER = Number(process.env.LEDGER || 10_000_000);
const PROCESSES = 2;
/** A batch of each stream in ten minutes: logs of a fleet are mostly quiet. */
const BATCHES_PER_SECOND = Math.ceil((COLLECTORS * STREAMS) / 600);
const LINES_PER_BATCH = 10;
const IDLE_MS = 20_000;
const LOADED_MS = 30_000;
const PATIENCE_MS = 300_000;
const SECTIONS: Readonly<Record<string, () => Promise<void>>> = {
  fleet: measureFleet,
  ledger: measureLedger,
};

const directory = await mkdtemp(join(tmpdir(), 'mega-collector-fleet-'));
const [port = 0, httpPort = 0] = await freePorts(2);
const address = `127.0.0.1:${port}`;
const http = `127.0.0.1:${httpPort}`;
try {
  for (const [name, measure] of Object.entries(SECTIONS)) {
    if ((process.env.FLEET_ONLY || name).split(',').includes(name)) await measure();
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function measureFleet(): Promise<void> {
  let aggregator = await startAggregator('fleet');
  const emptyBytes = memoryBytes(aggregator.pid);
  const fleet = new Fleet(
    {
      ...{ address, collectors: COLLECTORS, streams: STREAMS, linesPerBatch: LINES_PER_BATCH },
      ...{ batchesPerSecond: BATCHES_PER_SECOND, connectWithinMs: 20_000 },
    },
    PROCESSES,
  );
  try {
    const served = await fleet.untilServed(COLLECTORS, PATIENCE_MS);
    say(`${served} of ${COLLECTORS} collectors are served, with ${STREAMS} streams each`);
    await sleep(IDLE_MS);
    const loaded = await loadOf(aggregator, fleet);
    const connectedBytes = memoryBytes(aggregator.pid) - emptyBytes;
    await aggregator.kill();
    fleet.served = 0;
    const killedAt = performance.now();
    aggregator = await startAggregator('fleet');
    const readyMs = performance.now() - killedAt;
    const again = await fleet.untilServed(COLLECTORS, PATIENCE_MS);
    const servedMs = performance.now() - killedAt;
    say(
      table(
        ['measured at the aggregator', 'value'],
        [
          ['memory without collectors', megabytes(emptyBytes)],
          ['memory of a collector with its streams', `${Math.round(connectedBytes / COLLECTORS / 1024)} KiB`],
          [
            `CPU at ${Math.round(loaded.batchesPerSecond)} batches/s of ${LINES_PER_BATCH} lines`,
            `${loaded.corePercent} % of a core`,
          ],
          ['CPU time of a batch', `${Math.round(loaded.batchMicroseconds)} us`],
          ['ready again after kill -9', `${Math.round(readyMs)} ms`],
          [`${again} collectors served again after`, `${(servedMs / 1000).toFixed(1)} s`],
          ['peak of its memory while they reconnect', megabytes(peakMemoryBytes(aggregator.pid))],
        ],
      ),
    );
  } finally {
    await fleet.stop();
    await aggregator.kill();
  }
}

async function loadOf(aggregator: RunningProcess, fleet: Fleet) {
  const [cpu, accepted, startedAt] = [cpuSeconds(aggregator.pid), fleet.accepted, performance.now()];
  await sleep(LOADED_MS);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuUsed = cpuSeconds(aggregator.pid) - cpu;
  const batches = fleet.accepted - accepted;
  return {
    batchesPerSecond: batches / seconds,
    corePercent: ((cpuUsed / seconds) * 100).toFixed(1),
    batchMicroseconds: (cpuUsed / batches) * 1e6,
  };
}

async function measureLedger(): Promise<void> {
  const rows: string[][] = [];
  const first = await startAggregator('ledger');
  rows.push(['0', '-', megabytes(ownMemoryBytes(first.pid))]);
  await first.stop();
  let filled = 0;
  for (const streams of [LEDGER / 10, LEDGER]) {
    await fillLedger(join(directory, 'ledger'), streams - filled);
    filled = streams;
    const startedAt = performance.now();
    const aggregator = await startAggregator('ledger');
    const readyMs = performance.now() - startedAt;
    rows.push([
      String(streams),
      `${(readyMs / 1000).toFixed(1)} s`,
      megabytes(ownMemoryBytes(aggregator.pid)),
    ]);
    await aggregator.stop();
  }
  say(table(['streams in the ledger', 'ready after', 'own memory'], rows));
}

async function startAggregator(name: string): Promise<RunningProcess> {
  const aggregator = startProduct({
    subcommand: 'aggregator',
    env: {
      AGGREGATOR_LISTEN_ADDRESS: address,
      AGGREGATOR_HTTP_ADDRESS: http,
      AGGREGATOR_STATE_DIRECTORY: join(directory, name),
      AGGREGATOR_MAX_CONNECTIONS: '65536',
      AGGREGATOR_BLACKHOLE_CONFIGURATION: '1',
      AGGREGATOR_LOG_LEVEL: 'error',
    },
  });
  await untilReady(aggregator, http, PATIENCE_MS);
  return aggregator;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n\n`);
}
