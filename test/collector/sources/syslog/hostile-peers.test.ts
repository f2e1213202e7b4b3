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

/** Writes as fast as the peer reads; resolves with the written bytes when the peer has stopped reading. */
async function writeUntilStopped(socket: Socket, bytes: Buffer): Promise<number> {
  let written = 0;
  for (;;) {
    written += bytes.length;
    if (socket.write(bytes)) continue;
    const drained = once(socket, 'drain').then(() => true);
    if (!(await Promise.race([drained, new Promise((resolve) => setTimeout(() => resolve(false), 1500))])))
      return written;
  }
}

describe('hostile peers', { timeout: 120_000 }, () => {
  it('cannot fill the memory with an endless line, and others are served', async () => {
    const { port, records } = await openedSource([{ listen: TCP, max_message: '64KiB' }]);
    const hostile = await connected(port(TCP));
    const before = process.memoryUsage().arrayBuffers;
    const chunk = Buffer.alloc(MIB, 'x');
    for (let i = 0; i < 30; i++) if (!hostile.write(chunk)) await once(hostile, 'drain');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MIB);
    (await connected(port(TCP))).write('<13>other\n');
    await vi.waitFor(() => expect(records().map(({ body }) => body)).toEqual(['other']), PATIENT);
    hostile.end();
    await vi.waitFor(() => expect(records()).toHaveLength(2), SLOW);
    expect(records()[1]?.attributes.get('megacollector.truncated_from')).toBe(String(30 * MIB));
  });

  it('cannot reserve memory with lengths that lie', async () => {
    const { port, texts } = await openedSource([{ listen: TCP }, { listen: RELP }]);
    const before = process.memoryUsage().arrayBuffers;
    const open = encodeRelpFrame(1, 'open', 'commands=syslog');
    for (let i = 0; i < 200; i++) {
      (await connected(port(TCP))).write('16000000 <13>x');
      (await connected(port(RELP))).write(Buffer.concat([open, Buffer.from('2 syslog 16000000 <13>x')]));
    }
    (await connected(port(TCP))).write('<13>other\n');
    await vi.waitFor(() => expect(texts()).toEqual(['<13>other']), PATIENT);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MIB);
  });

  it('serves others while many senders are slow', async () => {
    const { port, texts, metric } = await openedSource([{ listen: TCP, max_connections: 500 }]);
    const slow = await Promise.all(Array.from({ length: 400 }, () => connected(port(TCP))));
    for (const socket of slow) socket.write('30 <13>slo');
    (await connected(port(TCP))).write('<13>other\n');
    await vi.waitFor(() => expect(texts()).toEqual(['<13>other']), PATIENT);
    expect(await metric('connections')).toBe(401);
  });

  it('holds a TCP sender back while the journal is full, and loses nothing', async () => {
    const { port, texts, sink, lines } = await openedSource([{ listen: TCP }], { journalBytes: 4 * MIB });
    sink.paused = true;
    const socket = await connected(port(TCP));
    const message = `<13>${'x'.repeat(995)}\n`;
    const written = await writeUntilStopped(socket, Buffer.from(message.repeat(64)));
    expect(written).toBeGreaterThan(2 * MIB);
    expect(written).toBeLessThan(64 * MIB);
    sink.paused = false;
    socket.end();
    await vi.waitFor(() => expect(texts()).toHaveLength(written / message.length), SLOW);
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
