import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { encodeRelpFrame } from '../../../../src/protocols/relp/frame-writer.ts';
import { openedSource, PATIENT } from './opened-source.ts';

const TCP = 'tcp://127.0.0.1:0';
const RELP = 'relp://127.0.0.1:0';
const MIB = 1024 * 1024;
const SLOW = { timeout: 60_000, interval: 50 };

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

describe('hostile peers', { timeout: 120_000 }, () => {
  it('serves others while many senders are slow', async () => {
    const { port, texts, metric } = await openedSource([{ listen: TCP, max_connections: 500 }]);
    const slow = await Promise.all(Array.from({ length: 400 }, () => connected(port(TCP))));
    for (const socket of slow) socket.write('30 <13>slo');
    (await connected(port(TCP))).write('<13>other\n');
    await vi.waitFor(() => expect(texts()).toEqual(['<13>other']), PATIENT);
    expect(await metric('connections')).toBe(401);
  });

  it('holds a TCP sender back while the journal is full, and loses nothing', async () => {
    const { port, taken, sink, lines, metric } = await openedSource([{ listen: TCP }], {
      journalBytes: 4 * MIB,
    });
    sink.paused = true;
    const socket = await connected(port(TCP));
    const message = `<13>${'x'.repeat(995)}\n`;
    const total = 10_000;
    // All of it is in the memory of this sender: it has no limit that could be mistaken for that of the source.
    socket.write(message.repeat(total));
    await vi.waitFor(async () => expect(await metric('full', 'collector_journal')).toBe(1), SLOW);
    expect(await metric('records_total')).toBeLessThan(total / 2);
    sink.paused = false;
    socket.end();
    const stored = () => taken.batches.reduce((sum, { sizes }) => sum + sizes.length, 0);
    await vi.waitFor(() => expect(stored()).toBe(total), { timeout: 90_000, interval: 200 });
    expect(lines.filter(({ msg }) => String(msg).startsWith('Dropping'))).toEqual([]);
  });

  it('does not answer RELP messages while the journal is full, and answers them later', async () => {
    const { port, texts, sink } = await openedSource([{ listen: RELP }], { journalBytes: 4 * MIB });
    sink.paused = true;
    const socket = await connected(port(RELP));
    let answers = 0;
    socket.on('data', (chunk: Buffer) => {
      answers += chunk.toString().split(' rsp 6 200 OK').length - 1;
    });
    socket.write(encodeRelpFrame(1, 'open', 'commands=syslog'));
    const data = `<13>${'x'.repeat(9000)}`;
    const total = 700;
    for (let txnr = 2; txnr < total + 2; txnr++) socket.write(encodeRelpFrame(txnr, 'syslog', data));
    await vi.waitFor(() => expect(answers).toBeGreaterThan(100), SLOW);
    sink.paused = false;
    await vi.waitFor(() => expect(answers).toBe(total), SLOW);
    await vi.waitFor(() => expect(texts()).toHaveLength(total), SLOW);
  });

  it('reports the UDP messages that have no room in the stream', async () => {
    const UDP = 'udp://127.0.0.1:0';
    const { port, texts, sink, metric } = await openedSource([{ listen: UDP }], { journalBytes: 4 * MIB });
    sink.paused = true;
    const udp = createSocket('udp4');
    onTestFinished(() => void udp.close());
    const message = Buffer.alloc(60_000, 'x');
    const total = 120;
    for (let i = 0; i < total; i++)
      await new Promise((resolve) => udp.send(message, port(UDP), '127.0.0.1', () => setTimeout(resolve, 1)));
    await vi.waitFor(async () => {
      const received = (await metric('records_total')) + (await metric('kernel_dropped_total'));
      expect(received + (await metric('dropped_total'))).toBe(total);
    }, SLOW);
    sink.paused = false;
    const lost = () =>
      texts().reduce(
        (sum, text) => sum + Number(/(?:lost|dropped) ([0-9]+) message/.exec(text)?.[1] ?? 0),
        0,
      );
    const kept = () => texts().filter((text) => text.startsWith('xxx')).length;
    await vi.waitFor(() => expect(kept() + lost()).toBe(total), SLOW);
    expect(lost()).toBeGreaterThan(0);
  });
});
