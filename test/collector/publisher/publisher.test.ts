import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PublishClient } from '../../../src/collector/publisher/publish-client.ts';
import { OtherBytesError } from '../../../src/storage/queue/queue-contract.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { MemoryStream } from '../../support/memory-stream.ts';
import { lines } from '../../support/record-batches.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { startIntake, startPublisher } from '../../support/wire-pair.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 15_000, interval: 10 });
const later = (ms: number) => AbortSignal.timeout(ms);

describe('publisher and intake', () => {
  it.each(['none', 'lz4'] as const)('transfer a stream byte for byte (%s)', async (compression) => {
    const { store, address } = await startIntake();
    const { publisher } = await startPublisher([address], { compression });
    const stream = new MemoryStream().append(lines(200_000, 'a line of some length, number').join(''));
    publisher.open(stream);
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
    expect(store.bytesOf(stream.id).equals(stream.bytes)).toBe(true);
    expect(store.repeatedBytes).toBe(0);
  });

  it('transfer records that are appended later', async () => {
    const { store, address } = await startIntake();
    const { publisher } = await startPublisher([address]);
    const stream = new MemoryStream();
    publisher.open(stream);
    for (let i = 0; i < 50; i++) {
      stream.append(`line ${i}\n`);
      publisher.wake(stream.id);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
    expect(store.bytesOf(stream.id).equals(stream.bytes)).toBe(true);
  });

  it('serve many streams in turn', async () => {
    const { store, address } = await startIntake();
    const { publisher } = await startPublisher([address]);
    const streams = Array.from({ length: 300 }, (_, i) =>
      new MemoryStream().append(lines(100, `s${i}`).join('')),
    );
    for (const stream of streams) publisher.open(stream);
    await until(() => {
      for (const stream of streams) expect(stream.accepted).toBe(stream.bytes.length);
    });
    for (const stream of streams) expect(store.bytesOf(stream.id).equals(stream.bytes)).toBe(true);
  });

  it('report when a stream is final', async () => {
    const { store, address } = await startIntake();
    const { publisher } = await startPublisher([address]);
    const stream = new MemoryStream().append('last\n');
    stream.closed = true;
    publisher.open(stream);
    await until(() => expect(store.finals.get(stream.id)).toBe(5));
  });

  it('continue at the position of the aggregator after it was unreachable, without resending', async () => {
    const store = new MemoryStore();
    const first = await startIntake({ store });
    const { publisher } = await startPublisher([first.address]);
    const stream = new MemoryStream().append(lines(50_000).join(''));
    publisher.open(stream);
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
    await first.intake.stop(later(1_000));
    stream.append(lines(50_000, 'more').join(''));
    publisher.wake(stream.id);
    await startIntake({ store, address: first.address });
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
    expect(store.bytesOf(stream.id).equals(stream.bytes)).toBe(true);
    expect(store.repeatedBytes).toBe(0);
  });

  it('keep the connection when the credentials are replaced, and use them for the next one', async () => {
    const store = new MemoryStore();
    const first = await startIntake({ store });
    const { publisher, lines: log } = await startPublisher([first.address]);
    const stream = new MemoryStream().append('one\n');
    publisher.open(stream);
    await until(() => expect(stream.accepted).toBe(4));
    const closed = vi.spyOn(PublishClient.prototype, 'close');
    onTestFinished(() => closed.mockRestore());
    publisher.useTls(undefined);
    expect(closed).not.toHaveBeenCalled();
    stream.append('two\n');
    publisher.wake(stream.id);
    await until(() => expect(stream.accepted).toBe(8));

    await first.intake.stop(later(1_000));
    await until(() => expect(closed).toHaveBeenCalledTimes(1));
    await startIntake({ store, address: first.address });
    stream.append('three\n');
    publisher.wake(stream.id);
    await until(() => expect(stream.accepted).toBe(14));
    expect(closed).toHaveBeenCalledTimes(1);
    expect(log.filter(({ msg }) => msg === 'Connected to the aggregator')).toHaveLength(2);
  });

  it('resend unaccepted records when a commit failed', async () => {
    const { store, address } = await startIntake();
    store.failure = 'the disk said no';
    const { publisher, lines: log } = await startPublisher([address]);
    const stream = new MemoryStream().append(lines(1_000).join(''));
    publisher.open(stream);
    await until(() =>
      expect(log.some((line) => String(line.reason).includes('the disk said no'))).toBe(true),
    );
    expect(stream.accepted).toBe(0);
    store.failure = undefined;
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
    expect(store.bytesOf(stream.id).equals(stream.bytes)).toBe(true);
  });

  it('wait and log while the intake is stopped, and lose no record', async () => {
    const { store, address } = await startIntake();
    store.setStopped('queue is full');
    const { publisher, lines: log } = await startPublisher([address]);
    const stream = new MemoryStream().append(lines(10_000).join(''));
    publisher.open(stream);
    await until(() => expect(log.some((line) => line.reason === 'queue is full')).toBe(true));
    expect(store.batches).toHaveLength(0);
    store.setStopped(undefined);
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
  });

  it('reopen a stream at once when the aggregator has other bytes, and stop it the second time in a row', async () => {
    const { store, address } = await startIntake();
    const { publisher, lines: log } = await startPublisher([address]);
    const stream = new MemoryStream({ hasChecksums: true }).append('one\n');
    store.refusal = new OtherBytesError('other bytes are stored under this stream');
    publisher.open(stream);
    await until(() => expect(stream.refusals).toEqual(['other bytes are stored under this stream']));
    expect(stream.resumes).toHaveLength(2);
    expect(log.filter(({ level }) => level === 50)).toHaveLength(1);
    expect(stream.accepted).toBe(0);
  });

  it('use the second address when the first cannot be reached', async () => {
    const { store, address } = await startIntake();
    const { publisher } = await startPublisher(['127.0.0.1:1', address]);
    const stream = new MemoryStream().append('hello\n');
    publisher.open(stream);
    await until(() => expect(stream.accepted).toBe(6));
    expect(store.bytesOf(stream.id).toString()).toBe('hello\n');
  });

  it('report the contiguous end when a part went to another aggregator', async () => {
    const store = new MemoryStore();
    const stream = new MemoryStream().append('0123456\n8901234\n6789012\n');
    const owner = { collectorId: Buffer.alloc(16, 7).toString('hex'), tlsSubject: undefined };
    store.open(stream.id, owner);
    const part = await stream.read(16, Buffer.alloc(100));
    if (part.kind !== 'records') throw new Error('no records');
    await store.append({ batch: part.batch, encoded: Buffer.alloc(0), endCheck: part.endCheck });
    const { address } = await startIntake({ store });
    const { publisher } = await startPublisher([address], { collectorId: Buffer.alloc(16, 7) });
    publisher.open(stream);
    await until(() => expect(stream.accepted).toBe(24));
    expect(stream.resumes[0]).toMatchObject({ end: 24, contiguousEnd: 0 });
    expect(store.ranges(stream.id)).toEqual([{ start: 0, end: 24 }]);
  });

  it('reject a stream of another collector, and log an error', async () => {
    const store = new MemoryStore();
    const stream = new MemoryStream().append('hello\n');
    const other = new MemoryStream().append('mine\n');
    store.open(stream.id, { collectorId: 'another collector', tlsSubject: undefined });
    const { address } = await startIntake({ store });
    const { publisher } = await startPublisher([address]);
    publisher.open(stream);
    publisher.open(other);
    await until(() => expect(other.accepted).toBe(5));
    await until(() => expect(stream.refusals).toEqual(['the stream belongs to another collector']));
    expect(stream.accepted).toBe(0);
  });

  it('send at most the window while no batch is answered', async () => {
    const { store, address } = await startIntake();
    let open = () => {};
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const { publisher } = await startPublisher([address], { compression: 'none' });
    const stream = new MemoryStream().append(`${randomBytes(499).toString('hex')}\n`.repeat(60_000));
    let highest = 0;
    const read = stream.read.bind(stream);
    stream.read = (from, buffer) => {
      highest = Math.max(highest, from);
      return read(from, buffer);
    };
    publisher.open(stream);
    await until(() => expect(highest).toBeGreaterThan(6 * 1024 * 1024));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(highest).toBeLessThanOrEqual(9 * 1024 * 1024);
    open();
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
  });

  it('continue a stream that was waiting for its turn when the connection broke', async () => {
    const { store, address } = await startIntake();
    const proxy = await TcpProxy.start(address);
    let open = () => {};
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const { publisher } = await startPublisher([proxy.address], { compression: 'none' });
    const stream = new MemoryStream().append(`${'x'.repeat(99)}\n`.repeat(120_000));
    publisher.open(stream);
    // The window is full and no batch is answered: the stream waits for its turn.
    await until(() => expect(proxy.forwardBytes).toBeGreaterThan(7 * 1024 * 1024));
    await new Promise((resolve) => setTimeout(resolve, 100));
    proxy.cut();
    open();
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
    expect(store.bytesOf(stream.id).equals(stream.bytes)).toBe(true);
  });

  it('end the older call when the same collector connects again', async () => {
    const { address, lines: log } = await startIntake();
    const collectorId = randomBytes(16);
    const first = await startPublisher([address], { collectorId });
    await until(() => expect(first.publisher.connectedTo).toBe(address));
    await startPublisher([address], { collectorId });
    await until(() =>
      expect(log.some((line) => String(line.reason).includes('a newer call of this collector'))).toBe(true),
    );
    await until(() => expect(first.lines.some(({ msg }) => msg.startsWith('Another collector'))).toBe(true));
  });

  it('complete pending batches on stop', async () => {
    const { store, address } = await startIntake();
    const { publisher } = await startPublisher([address]);
    const stream = new MemoryStream().append(lines(1_000).join(''));
    publisher.open(stream);
    await until(() => expect(store.batches.length).toBeGreaterThan(0));
    await publisher.stop(later(5_000));
    expect(stream.accepted).toBe(store.bytesOf(stream.id).length);
  });
});
