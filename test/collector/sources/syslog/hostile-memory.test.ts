import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { encodeRelpFrame } from '../../../../src/protocols/relp/frame-writer.ts';
import { freePorts } from '../../../../testkit/free-ports.ts';
import { memoryBytes } from '../../../../testkit/process-usage.ts';
import { untilReady } from '../../../../testkit/product.ts';
import { testPair } from '../../../support/processes.ts';

const MIB = 1024 * 1024;
const SLOW = { timeout: 120_000, interval: 100 };
const MANY = 10_000;
/** Files and sockets of the process besides those of the connections. */
const OTHER_FILES = 500;
/** Memory of the process itself that grows in the first seconds: compiled code and the heap. */
const WARM_UP_BYTES = 64 * MIB;

const openFiles = await maxOpenFiles();
const mayOpenMany = openFiles >= MANY + OTHER_FILES;
if (!mayOpenMany)
  process.stderr.write(
    `SKIPPED: ${MANY} connections, since the limit of open files is ${openFiles} (ulimit -n)\n`,
  );

/** A collector as a process of its own: its resident memory has nothing of the senders. */
async function startedCollector() {
  const [tcp = 0, relp = 0] = await freePorts(2);
  const listeners = [
    { listen: `tcp://127.0.0.1:${tcp}`, max_connections: MANY + 100, max_message: '64KiB' },
    { listen: `relp://127.0.0.1:${relp}`, max_connections: MANY + 100 },
  ];
  const pair = await testPair({
    collectorEnv: { COLLECTOR_SYSLOG_CONFIGURATION: JSON.stringify(listeners) },
  });
  const aggregator = pair.startAggregator();
  await untilReady(aggregator, pair.aggregatorHttp);
  const collector = pair.startCollector();
  await untilReady(collector, pair.collectorHttp);
  const before = memoryBytes(collector.pid);
  const metric = async (name: string, listener: string) => {
    const text = await (await fetch(`http://${pair.collectorHttp}/metrics`)).text();
    const found = new RegExp(`^collector_syslog_${name}{listener="${listener}:[^}]*} (\\d+)`, 'm').exec(text);
    return Number(found?.[1] ?? 0);
  };
  const untilServed = async (message: string) => {
    (await connected(tcp)).end(`${message}\n`);
    await vi.waitFor(async () => expect(await readFile(pair.outputPath, 'utf8')).toContain(message), SLOW);
  };
  return {
    tcp,
    relp,
    metric,
    untilServed,
    growth: () => memoryBytes(collector.pid) - before,
    outputPath: pair.outputPath,
  };
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

describe('memory of a collector with hostile peers', { timeout: 240_000 }, () => {
  it('does not grow with an endless line, and others are served', async () => {
    const { tcp, growth, untilServed, metric } = await startedCollector();
    const hostile = await connected(tcp);
    const chunk = Buffer.alloc(MIB, 'x');
    for (let sent = 0; sent < 256; sent++) if (!hostile.write(chunk)) await once(hostile, 'drain');
    await untilServed('<13>another sender');
    expect(growth()).toBeLessThan(WARM_UP_BYTES);
    hostile.end();
    await vi.waitFor(async () => expect(await metric('truncated_records_total', 'tcp')).toBe(1), SLOW);
  });

  it('does not grow with announced lengths', async () => {
    const { tcp, relp, growth, untilServed, metric } = await startedCollector();
    const open = encodeRelpFrame(1, 'open', 'commands=syslog');
    const connections = 500;
    for (let each = 0; each < connections; each++) {
      (await connected(tcp)).write('16000000 <13>x');
      (await connected(relp)).write(Buffer.concat([open, Buffer.from('2 syslog 16000000 <13>x')]));
    }
    await vi.waitFor(async () => expect(await metric('connections', 'relp')).toBe(connections), SLOW);
    await untilServed('<13>another sender');
    // The announced bytes are 16 GB.
    expect(growth()).toBeLessThan(WARM_UP_BYTES);
  });

  it.skipIf(!mayOpenMany)('is limited with 10,000 slow senders, and others are served', async () => {
    const { tcp, growth, untilServed, metric } = await startedCollector();
    for (let opened = 0; opened < MANY; opened += 100) {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => connected(tcp)));
      for (const socket of sockets) socket.write('30 <13>slo');
    }
    await vi.waitFor(async () => expect(await metric('connections', 'tcp')).toBe(MANY), SLOW);
    await untilServed('<13>another sender');
    process.stderr.write(`${MANY} connections: ${Math.round(growth() / MIB)} MiB\n`);
    expect(growth()).toBeLessThan(WARM_UP_BYTES + MANY * 24 * 1024);
  });
});

/** The soft limit, which child processes inherit. */
async function maxOpenFiles(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1] ?? '0';
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
