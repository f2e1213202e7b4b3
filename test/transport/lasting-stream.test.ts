import { describe, expect, it, onTestFinished } from 'vitest';
import { LastingStream, type LastingStreamOptions } from '../../src/transport/lasting-stream.ts';
import type { OutletEvent } from '../../src/transport/outlet.ts';
import { SocketTransport } from '../../src/transport/socket-transport.ts';
import { freePort } from '../../testkit/free-ports.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { MemoryTransport } from '../support/memory-transport.ts';
import { type Behaviour, StreamReceiver } from '../support/stream-receiver.ts';

const DOWN = { reason: 'nothing is listening', code: 'ECONNREFUSED' };

function inMemory(options: LastingStreamOptions = {}) {
  const clock = new FakeClock();
  const transport = new MemoryTransport();
  const events: OutletEvent[] = [];
  const stream = new LastingStream(transport, {
    clock,
    onEvent: (event) => events.push(event),
    // No jitter: the waits are known.
    backoff: { random: () => 0 },
    ...options,
  });
  const write = (text: string) => stream.write([Buffer.from(`${text};`)]);
  return { clock, transport, stream, events, write };
}

describe('connecting', () => {
  it('waits for something to write', async () => {
    const { transport, write } = inMemory();
    await settle();
    expect(transport.connections).toHaveLength(0);
    write('a');
    await settle();
    expect(transport.connections).toHaveLength(1);
    expect(transport.written.toString()).toBe('a;');
  });

  it('is retried after half a second, a second, two, up to thirty', async () => {
    const { clock, transport, stream, write } = inMemory();
    transport.failWith = DOWN;
    write('a');
    await settle();
    for (const delayMs of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const before = stream.counters.failures;
      await clock.advance(delayMs - 1);
      expect(stream.counters.failures).toBe(before);
      await clock.advance(1);
      expect(stream.counters.failures).toBe(before + 1);
    }
    transport.failWith = undefined;
    await clock.advance(30_000);
    expect(transport.written.toString()).toBe('a;');
  });

  it('has a random jitter of up to half of the wait', async () => {
    const { clock, stream, transport, write } = inMemory({ backoff: { random: () => 1 } });
    transport.failWith = DOWN;
    write('a');
    await clock.advance(249);
    expect(stream.counters.failures).toBe(1);
    await clock.advance(1);
    expect(stream.counters.failures).toBe(2);
  });

  it('resets the backoff after ten healthy seconds', async () => {
    const { clock, stream, transport, write } = inMemory();
    transport.failWith = DOWN;
    write('a');
    await clock.advance(7_500);
    transport.failWith = undefined;
    await clock.advance(8_000);
    await clock.advance(10_000);
    transport.connections[0]?.end({ ...DOWN, orderly: false });
    write('b');
    await settle();
    expect(transport.written.toString()).toBe('a;b;');

    // An unhealthy one does not.
    transport.connections[1]?.end({ ...DOWN, orderly: false });
    transport.failWith = DOWN;
    write('c');
    await clock.advance(499);
    const { failures } = stream.counters;
    await clock.advance(1);
    expect(stream.counters.failures).toBe(failures + 1);
  });

  it('waits only the shortest time when a receiver closes after accepting bytes', async () => {
    const { clock, transport, write } = inMemory();
    for (let i = 0; i < 20; i++) {
      write(`m${i}`);
      await clock.advance(500);
      expect(transport.connections).toHaveLength(i + 1);
      transport.connections[i]?.end({ reason: 'closed', orderly: true });
    }
    expect(transport.written.toString()).toBe(Array.from({ length: 20 }, (_, i) => `m${i};`).join(''));
  });
});

describe('a connection that breaks', () => {
  it('has its unconfirmed bytes written again on the next', async () => {
    const { clock, transport, stream, write } = inMemory();
    write('a');
    await settle();
    transport.hold = true;
    write('b');
    write('c');
    await settle();
    transport.connections[0]?.end({ ...DOWN, orderly: false });
    transport.hold = false;
    await clock.advance(500);
    expect(transport.connections.map(({ writes }) => Buffer.concat(writes).toString())).toEqual([
      'a;',
      'b;c;',
    ]);
    expect(stream.counters).toMatchObject({ sent: 3, retried: 2, connects: 2, queued: 0, queuedBytes: 0 });
  });

  it('has its unconfirmed bytes dropped if so configured', async () => {
    const { clock, transport, stream, write } = inMemory({ writeAgain: false });
    transport.hold = true;
    write('a');
    await settle();
    transport.connections[0]?.end({ ...DOWN, orderly: false });
    transport.hold = false;
    write('b');
    await clock.advance(500);
    expect(transport.written.toString()).toBe('b;');
    expect(stream.counters.dropped).toMatchObject({ failed: 1 });
  });
});

describe('closing', () => {
  it('sends queued messages first', async () => {
    const { transport, stream, write } = inMemory();
    write('a');
    await stream.close(new AbortController().signal);
    expect(transport.written.toString()).toBe('a;');
    expect(transport.connections[0]?.ended).toBeDefined();
    expect(write('b')).toBe(false);
    expect(stream.counters.dropped.closed).toBe(1);
  });

  it('ends at its deadline and counts unsent messages', async () => {
    const { clock, transport, stream, write } = inMemory();
    transport.failWith = DOWN;
    write('a');
    write('b');
    const deadline = new AbortController();
    const closing = stream.close(deadline.signal);
    await clock.advance(5_000);
    deadline.abort();
    await closing;
    await stream.close(deadline.signal);
    expect(stream.counters).toMatchObject({ sent: 0, dropped: { closed: 2 }, queued: 0, queuedBytes: 0 });
    await clock.advance(100_000);
    expect(clock.waiting).toBe(0);
  });

  it('is safe before anything was written', async () => {
    const { stream } = inMemory();
    await stream.close(AbortSignal.abort());
    expect(stream.counters).toMatchObject({ sent: 0, queued: 0 });
  });

  it('does not wait for a blocked write', async () => {
    const { transport, stream, write } = inMemory();
    transport.hold = true;
    write('a');
    await settle();
    await stream.close(AbortSignal.abort());
    expect(stream.counters).toMatchObject({ sent: 0, dropped: { closed: 1 } });
  });
});

describe('events', () => {
  it('of a kind are reported at most once in ten seconds, with their number', async () => {
    const { clock, transport, stream, events, write } = inMemory({
      backoff: { initialMs: 1_000, maxMs: 1_000, random: () => 0 },
    });
    transport.failWith = DOWN;
    write('a');
    await clock.advance(10_000);
    expect(events).toEqual([
      { kind: 'failed', address: 'memory:', reason: DOWN.reason, count: 1 },
      { kind: 'failed', address: 'memory:', reason: DOWN.reason, count: 9 },
    ]);
    transport.failWith = undefined;
    await clock.advance(1_000);
    expect(events.at(-1)).toMatchObject({ kind: 'connected' });
    expect(stream.counters.failures).toBe(11);
  });

  it('ignore errors of their listener', async () => {
    const { transport, stream, write } = inMemory({
      onEvent: () => {
        throw new Error('listener');
      },
    });
    expect(write('a')).toBe(true);
    await settle();
    expect(transport.written.toString()).toBe('a;');
    expect(stream.counters.connects).toBe(1);
  });
});

describe('a hostile receiver', () => {
  async function over(behaviour: Behaviour, options: LastingStreamOptions = {}) {
    const receiver = await StreamReceiver.start({ behaviour });
    const transport = SocketTransport.tcp('127.0.0.1', receiver.port, { writeTimeoutMs: 300 });
    const events: OutletEvent[] = [];
    const stream = new LastingStream(transport, {
      backoff: { initialMs: 5, maxMs: 20 },
      onEvent: (event) => events.push(event),
      ...options,
    });
    onTestFinished(() => stream.close(AbortSignal.abort()));
    return { receiver, stream, events };
  }

  it('that closes after each message receives all messages in turn', async () => {
    const { receiver, stream } = await over('close-after-each');
    for (let i = 0; i < 10; i++) {
      const before = receiver.connections.length;
      stream.write([Buffer.from(`m${i};`)]);
      await expect.poll(() => receiver.connections.length).toBe(before + 1);
      // The next message comes when the end of this connection is known.
      await expect.poll(() => receiver.sockets.at(-1)?.destroyed, { timeout: 5_000 }).toBe(true);
    }
    await expect.poll(() => receiver.received.toString()).toBe('m0;m1;m2;m3;m4;m5;m6;m7;m8;m9;');
  });

  it.each(['read-nothing', 'reset-at-once'] as const)(
    'that does %s costs bounded memory',
    async (behaviour) => {
      const { stream, events } = await over(behaviour, { maxQueuedBytes: 2_000_000 });
      // More than the two kernels' buffers hold, so that some has to wait and some has to go.
      const message = Buffer.alloc(50_000);
      for (let i = 0; i < 400; i++) {
        stream.write([message]);
        expect(stream.counters.queuedBytes).toBeLessThanOrEqual(2_000_000);
        if (i % 20 === 0) await settle();
      }
      await expect.poll(() => stream.counters.failures, { timeout: 10_000 }).toBeGreaterThan(0);
      expect(events.map(({ kind }) => kind)).toContain('failed');
      expect(events.length).toBeLessThan(6);
    },
  );

  it('that recovers receives everything in order', async () => {
    const { receiver, stream } = await over('reset-at-once');
    for (let i = 0; i < 50; i++) stream.write([Buffer.from(`m${i};`)]);
    await expect.poll(() => stream.counters.failures).toBeGreaterThan(0);
    receiver.behaviour = 'read';
    expect(await stream.flush(AbortSignal.timeout(10_000))).toBe(true);
    stream.write([Buffer.from('last;')]);
    await expect.poll(() => receiver.received.toString()).toMatch(/last;$/);
  });

  it('that starts later receives everything', async () => {
    const port = await freePort();
    const stream = new LastingStream(SocketTransport.tcp('127.0.0.1', port), {
      backoff: { initialMs: 5, maxMs: 20 },
    });
    onTestFinished(() => stream.close(AbortSignal.abort()));
    const texts = Array.from({ length: 1_000 }, (_, i) => `m${i};`);
    for (const text of texts) stream.write([Buffer.from(text)]);
    await expect.poll(() => stream.counters.failures).toBeGreaterThan(1);
    const receiver = await StreamReceiver.start({ port });
    expect(await stream.flush(AbortSignal.timeout(10_000))).toBe(true);
    await expect.poll(() => receiver.received.toString()).toBe(texts.join(''));
    expect(stream.counters).toMatchObject({ sent: 1_000, retried: 0, connects: 1 });
  });
});
