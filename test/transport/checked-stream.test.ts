import { describe, expect, it, onTestFinished } from 'vitest';
import { CheckedStream } from '../../src/transport/checked-stream.ts';
import { MemoryTransport } from '../../src/transport/memory-transport.ts';
import { SocketTransport } from '../../src/transport/socket-transport.ts';
import { settle } from '../support/fake-clock.ts';
import { type Behaviour, StreamReceiver } from '../support/stream-receiver.ts';

const BROKEN = { reason: 'it broke', orderly: false };

describe('a check', () => {
  it('is good when all went down one living connection', async () => {
    const transport = new MemoryTransport();
    const stream = new CheckedStream(transport);
    expect(await stream.write([Buffer.from('a')])).toBeUndefined();
    expect(await stream.write([Buffer.from('b')])).toBeUndefined();
    expect(await stream.check()).toBeUndefined();
    expect(transport.connections).toHaveLength(1);
    await stream.close(AbortSignal.abort());
  });

  it('fails once when the connection broke after the last write', async () => {
    const transport = new MemoryTransport();
    const stream = new CheckedStream(transport);
    await stream.write([Buffer.from('a')]);
    transport.connections[0]?.end(BROKEN);
    expect(await stream.check()).toEqual(BROKEN);
    expect(await stream.check()).toBeUndefined();
    await stream.write([Buffer.from('a')]);
    expect(await stream.check()).toBeUndefined();
    expect(transport.connections).toHaveLength(2);
  });

  it('fails through the next write when the connection broke in between', async () => {
    const transport = new MemoryTransport();
    const stream = new CheckedStream(transport);
    await stream.write([Buffer.from('a')]);
    transport.connections[0]?.end(BROKEN);
    expect(await stream.write([Buffer.from('b')])).toEqual(BROKEN);
    expect(transport.connections).toHaveLength(1);
  });

  it('does not mind a connection that broke with nothing on its way', async () => {
    const transport = new MemoryTransport();
    const stream = new CheckedStream(transport);
    await stream.write([Buffer.from('a')]);
    await stream.check();
    transport.connections[0]?.end(BROKEN);
    expect(await stream.check()).toBeUndefined();
    expect(await stream.write([Buffer.from('b')])).toBeUndefined();
    expect(await stream.check()).toBeUndefined();
    expect(transport.connections).toHaveLength(2);
  });
});

it('gives up a write when told to', async () => {
  const transport = new MemoryTransport();
  const stream = new CheckedStream(transport);
  transport.hold = true;
  const giveUp = new AbortController();
  const writing = stream.write([Buffer.from('a')], giveUp.signal);
  await settle();
  giveUp.abort();
  expect(await writing).toBeDefined();
  transport.hold = false;
  expect(await stream.write([Buffer.from('b')], giveUp.signal)).toEqual({ reason: 'given up' });
  expect(await stream.write([Buffer.from('c')])).toBeUndefined();
});

describe('a hostile receiver', () => {
  async function over(behaviour: Behaviour) {
    const receiver = await StreamReceiver.start({ behaviour });
    const stream = new CheckedStream(
      SocketTransport.tcp('127.0.0.1', receiver.port, { writeTimeoutMs: 300 }),
    );
    onTestFinished(() => stream.close(AbortSignal.abort()));
    return { receiver, stream };
  }

  it.each(['close-after-each', 'reset', 'reset-at-once', 'half-open'] as const)(
    'that does %s never has a check pass unnoticed once it is known',
    async (behaviour) => {
      const { receiver, stream } = await over(behaviour);
      const first = await stream.write([Buffer.from('a')]);
      await expect.poll(() => receiver.sockets.length).toBe(1);
      // The receiver's end or reset is on its way over loopback; once it is here, a check or a write says so.
      if (first === undefined) {
        await expect.poll(() => stream.write([Buffer.from('b')])).toBeDefined();
      }
      receiver.behaviour = 'read';
      await expect.poll(() => stream.write([Buffer.from('c')])).toBeUndefined();
      expect(await stream.check()).toBeUndefined();
    },
  );

  it('that reads nothing is given up', async () => {
    const { stream } = await over('read-nothing');
    const failure = await stream.write([Buffer.alloc(64 * 1024 * 1024)]);
    expect(failure?.reason).toBe('the receiver took nothing within 300 ms');
  });
});
