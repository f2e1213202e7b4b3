import { describe, expect, it, onTestFinished } from 'vitest';
import { CheckedStream } from '../../src/transport/checked-stream.ts';
import { SocketTransport } from '../../src/transport/socket-transport.ts';
import type { TransportFailure } from '../../src/transport/transport.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { MemoryTransport } from '../support/memory-transport.ts';
import { type Behaviour, StreamReceiver } from '../support/stream-receiver.ts';

const RESET = { reason: 'it was reset', orderly: false };
const CLOSED = { reason: 'it was closed', orderly: true };

function inMemory() {
  const clock = new FakeClock();
  const transport = new MemoryTransport();
  const tooLate: TransportFailure[] = [];
  const stream = new CheckedStream(transport, { clock, onTooLate: (failure) => tooLate.push(failure) });
  return {
    clock,
    transport,
    stream,
    tooLate,
    write: (text: string) => stream.write([Buffer.from(text)]),
    /** A check with all the time it wants. */
    check: async (waitMs = 200) => {
      const checking = stream.check();
      await clock.advance(waitMs);
      return await checking;
    },
    end: (end: typeof RESET) => transport.connections.at(-1)?.end(end),
  };
}

describe('a check', () => {
  it('succeeds when everything was written to one open connection', async () => {
    const { transport, stream, write, check } = inMemory();
    expect(await write('a')).toBeUndefined();
    expect(await write('b')).toBeUndefined();
    expect(await check()).toBeUndefined();
    expect(transport.connections).toHaveLength(1);
    await stream.close(AbortSignal.abort());
  });

  it('fails once when the connection broke after the last write', async () => {
    const { transport, write, check, end } = inMemory();
    await write('a');
    end(RESET);
    expect(await check()).toEqual(RESET);
    expect(await check()).toBeUndefined();
    await write('a');
    expect(await check()).toBeUndefined();
    expect(transport.connections).toHaveLength(2);
  });

  it('fails through the next write when the connection broke in between', async () => {
    const { transport, write, end } = inMemory();
    await write('a');
    end(RESET);
    expect(await write('b')).toEqual(RESET);
    expect(transport.connections).toHaveLength(1);
  });

  it('succeeds when an idle connection was closed', async () => {
    const { clock, transport, tooLate, write, check, end } = inMemory();
    await write('a');
    await check();
    await clock.advance(1_000);
    end(CLOSED);
    await settle();
    expect(await check()).toBeUndefined();
    expect(await write('b')).toBeUndefined();
    expect(await check()).toBeUndefined();
    expect(transport.connections).toHaveLength(2);
    expect(tooLate).toEqual([]);
  });

  it('waits for a response: longest at first, then for a round trip', async () => {
    const { clock, stream, write, check, end } = inMemory();
    await write('a');
    let checking = stream.check();
    await clock.advance(199);
    end(RESET);
    expect(await checking).toEqual(RESET);

    await write('a');
    await check();
    await write('b');
    checking = stream.check();
    await clock.advance(4);
    end(RESET);
    expect(await checking).toEqual(RESET);
  });

  it('does not wait if nothing was written, or after an abort', async () => {
    const { stream, write } = inMemory();
    expect(await stream.check()).toBeUndefined();
    await write('a');
    expect(await stream.check(AbortSignal.abort())).toEqual({ reason: 'aborted' });
  });
});

describe('an end that comes after a good check', () => {
  it.each([
    [RESET, 5_000],
    [CLOSED, 500],
  ])('is reported, and later checks wait for the same: %j', async (end, afterMs) => {
    const { clock, stream, tooLate, write, check, ...rest } = inMemory();
    await write('a');
    await check();
    await clock.advance(afterMs);
    rest.end(end);
    await settle();
    expect(tooLate).toEqual([end]);

    await write('b');
    const checking = stream.check();
    await clock.advance(200 + afterMs);
    rest.end(end);
    expect(await checking).toEqual(end);
    expect(tooLate).toEqual([end]);
  });

  it('is forgotten when a later connection stays open', async () => {
    const { clock, tooLate, transport, write, check, end } = inMemory();
    await write('a');
    await check();
    await clock.advance(5_000);
    end(RESET);
    await settle();
    expect(tooLate).toEqual([RESET]);

    await write('b');
    expect(await check(10_400)).toBeUndefined();
    await clock.advance(1_000);
    end(CLOSED);
    await settle();
    await write('c');
    expect(await check(200)).toBeUndefined();
    expect(transport.connections).toHaveLength(3);
  });
});

it('aborts a write on request', async () => {
  const { transport, stream, write } = inMemory();
  transport.hold = true;
  const giveUp = new AbortController();
  const writing = stream.write([Buffer.from('a')], giveUp.signal);
  await settle();
  giveUp.abort();
  expect(await writing).toBeDefined();
  transport.hold = false;
  expect(await stream.write([Buffer.from('b')], giveUp.signal)).toEqual({ reason: 'aborted' });
  expect(await write('c')).toBeUndefined();
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
    'that does %s never passes a check',
    async (behaviour) => {
      const { receiver, stream } = await over(behaviour);
      for (let i = 0; i < 5; i++) {
        const failure = (await stream.write([Buffer.from('a')])) ?? (await stream.check());
        expect(failure).toBeDefined();
      }
      receiver.behaviour = 'read';
      expect(await stream.write([Buffer.from('c')])).toBeUndefined();
      expect(await stream.check()).toBeUndefined();
    },
  );

  it('that stops reading causes a failure', async () => {
    const { stream } = await over('read-nothing');
    const failure = await stream.write([Buffer.alloc(64 * 1024 * 1024)]);
    expect(failure?.reason).toBe('the receiver accepted nothing within 300 ms');
  });
});
