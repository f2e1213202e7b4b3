import { describe, expect, it, vi } from 'vitest';
import { checkOf } from '../../../src/records/check.ts';
import { encodeBatchRequest } from '../../../src/records/publish-codec.ts';
import { emptyChecksum, extendChecksum } from '../../../src/records/running-checksum.ts';
import { type StreamId, streamIdToBytes } from '../../../src/records/stream-id.ts';
import type { Queue } from '../../../src/storage/queue/queue.ts';
import { queueFixture } from '../../storage/queue-fixture.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { MemoryStream } from '../../support/memory-stream.ts';
import { RawPublishClient } from '../../support/raw-publish-client.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { startIntake, startPublisher } from '../../support/wire-pair.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 20_000, interval: 20 });
const collectorId = Buffer.alloc(16, 9);
const soon = () => AbortSignal.timeout(2_000);

/** Lines of one length that end alike: the last 64 bytes of two batches with the same number of lines are equal. */
function alike(who: string, from: number, count: number): string {
  return Array.from(
    { length: count },
    (_, i) => `${who} ${String(from + i).padStart(6, '0')} ${'c'.repeat(80)}\n`,
  ).join('');
}

async function linesOf(queue: Queue): Promise<string[]> {
  const cursor = await queue.openCursor('audit', 'oldest');
  let text = '';
  for (let entry = 1; ; entry++) {
    const found = await cursor.read(entry);
    if (found === undefined) return text.split('\n').filter((line) => line !== '');
    text += Buffer.from(found.batch.data).toString();
  }
}

/** A running collector with one stream. */
async function collector(address: string, instance: bigint, stream: MemoryStream, previousInstance?: bigint) {
  const identity = { collectorId, instance, previousInstance };
  const { publisher, lines } = await startPublisher([address], identity);
  const streams = [stream];
  const open = (source: MemoryStream) => {
    source.onDiverged = (rest) => {
      streams.push(rest);
      publisher.close(source.id);
      open(rest);
    };
    publisher.open(source);
  };
  open(stream);
  const append = (text: string) => {
    const last = streams.at(-1) as MemoryStream;
    last.append(text);
    publisher.wake(last.id);
  };
  const isAccepted = () => {
    const last = streams.at(-1) as MemoryStream;
    return last.accepted === last.bytes.length;
  };
  return { publisher, lines, append, isAccepted, streams };
}

describe('two collectors with one copied state', () => {
  it('lose and double no line, though their lines end alike', async () => {
    const { queue } = await queueFixture();
    const { address, lines } = await startIntake({ queue });
    const stream = new MemoryStream({ hasChecksums: true }).append(alike('a', 0, 50));
    const first = await collector(address, 1n, stream);
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
    const second = await collector(address, 2n, stream.clone());
    for (let i = 0; i < 5; i++) {
      first.append(alike('a', 50 + i * 10, 10));
      second.append(alike('b', 50 + i * 10, 10));
      await until(() => expect(first.isAccepted() || second.isAccepted()).toBe(true));
    }
    await until(() => expect(first.isAccepted() && second.isAccepted()).toBe(true));
    const written = alike('a', 0, 100) + alike('b', 50, 50);
    expect((await linesOf(queue)).sort()).toEqual(written.trimEnd().split('\n').sort());
    expect(lines.filter(({ msg, level }) => level === 50 && /one collector id/.test(msg))).toHaveLength(1);
  });

  it('keep the lines of both when these are equal', async () => {
    const { queue } = await queueFixture();
    const { address } = await startIntake({ queue });
    const stream = new MemoryStream({ hasChecksums: true }).append(alike('a', 0, 50));
    const first = await collector(address, 1n, stream);
    await until(() => expect(first.isAccepted()).toBe(true));
    const second = await collector(address, 2n, stream.clone());
    await until(() =>
      expect(second.lines.some(({ msg }) => msg === 'Connected to the aggregator')).toBe(true),
    );
    second.append(alike('same', 0, 10));
    await until(() => expect(second.isAccepted()).toBe(true));
    first.append(alike('same', 0, 10));
    await until(() => expect(first.streams).toHaveLength(2));
    await until(() => expect(first.isAccepted()).toBe(true));
    expect((await linesOf(queue)).filter((line) => line.startsWith('same'))).toHaveLength(20);
  });
});

describe('after a clone has run', () => {
  /** Both run until the aggregator has detected them; then the clone ends, and the original is killed. */
  async function killedOriginal() {
    const { queue } = await queueFixture();
    const { address, lines } = await startIntake({ queue });
    const stream = new MemoryStream({ hasChecksums: true }).append(alike('a', 0, 50));
    const original = await collector(address, 1n, stream);
    await until(() => expect(original.isAccepted()).toBe(true));
    const copy = stream.clone();
    const clone = await collector(address, 2n, copy, 1n);
    await until(() => expect(lines.some(({ msg }) => /one collector id/.test(String(msg)))).toBe(true));
    clone.append(alike('b', 0, 10));
    await until(() => expect(clone.isAccepted()).toBe(true));
    await clone.publisher.stop(soon());
    original.append(alike('a', 50, 10));
    await until(() => expect(original.isAccepted()).toBe(true));
    await original.publisher.stop(soon());
    return { address, original, clone };
  }

  it('the original continues its streams when it starts again', async () => {
    const { address, original } = await killedOriginal();
    const last = original.streams.at(-1) as MemoryStream;
    const again = await collector(address, 3n, last.clone(), 1n);
    again.append(alike('a', 60, 10));
    await until(() => expect(again.isAccepted()).toBe(true));
    expect(again.streams).toHaveLength(1);
  });

  it('the clone does not continue the streams of the original when it starts again', async () => {
    const { address, original } = await killedOriginal();
    const last = original.streams.at(-1) as MemoryStream;
    const again = await collector(address, 4n, last.clone(), 2n);
    await until(() => expect(again.streams).toHaveLength(2));
  });
});

describe('a collector that starts again', () => {
  it('continues its streams, and nothing is reported', async () => {
    const { queue } = await queueFixture();
    const { address, lines } = await startIntake({ queue });
    let stream = new MemoryStream({ hasChecksums: true });
    for (let instance = 1n; instance <= 3n; instance++) {
      const running = await collector(address, instance, stream);
      running.append(alike(`run ${instance}`, 0, 10));
      await until(() => expect(running.isAccepted()).toBe(true));
      await running.publisher.stop(soon());
      expect(running.streams).toHaveLength(1);
      stream = stream.clone();
    }
    expect(await linesOf(queue)).toHaveLength(30);
    expect(lines.filter(({ level }) => level === 50)).toEqual([]);
  });
});

describe('an intake', () => {
  const opened = (client: RawPublishClient) =>
    client.responses.filter(({ $case }) => $case === 'streamOpened');
  const open = (stream: StreamId) =>
    ({ $case: 'openStream', value: { stream: streamIdToBytes(stream), accepted: 0n } }) as const;

  it('answers an opening after the batches of the older call are on the disk', async () => {
    let release = () => {};
    const store = new MemoryStore();
    store.gate = new Promise((resolve) => {
      release = resolve;
    });
    const { address } = await startIntake({ store });
    const batch = recordBatch(['hello\n']);
    const data = { compression: 'none', bytes: batch.data } as const;
    const older = new RawPublishClient(address).read().hello().send(open(batch.stream));
    await until(() => expect(opened(older)).toHaveLength(1));
    older.send(encodeBatchRequest({ sequence: 1, endCheck: checkOf(batch.data), batch, data }));
    const newer = new RawPublishClient(address).read().hello(Buffer.alloc(16, 1), 1, 2n);
    await older.status;
    const other = recordBatch(['x']);
    newer.send(open(batch.stream)).send(open(other.stream));
    await until(() => expect(opened(newer)).toHaveLength(1));
    release();
    await until(() => expect(opened(newer)).toHaveLength(2));
    expect(opened(newer).at(-1)?.value).toMatchObject({ end: 6n });
  });

  it('refuses a batch with other bytes before it, and accepts the stream when it is opened again', async () => {
    const { queue } = await queueFixture();
    const { address } = await startIntake({ queue });
    const batch = recordBatch(['one\n']);
    const next = recordBatch(['two\n'], { stream: batch.stream, start: 4 });
    const request = (sequence: number, before: string, each = next) => {
      const start = extendChecksum(emptyChecksum(0), Buffer.from(before));
      const checksums = { start, end: extendChecksum(start, each.data) };
      const data = { compression: 'none', bytes: each.data } as const;
      return encodeBatchRequest({ sequence, endCheck: checkOf(each.data), checksums, batch: each, data });
    };
    const client = new RawPublishClient(address).read().hello().send(open(batch.stream));
    client.send(request(1, '', batch)).send(request(2, 'eno\n'));
    await until(() =>
      expect(client.responses).toContainEqual(
        expect.objectContaining({ $case: 'refused', value: expect.objectContaining({ cause: 1 }) }),
      ),
    );
    client.send(open(batch.stream)).send(request(3, 'one\n'));
    await until(() =>
      expect(client.responses.at(-1)).toEqual({ $case: 'accepted', value: { sequences: [3n] } }),
    );
    expect(await linesOf(queue)).toEqual(['one', 'two']);
    const { end } = { end: extendChecksum(emptyChecksum(0), Buffer.from('one\ntwo\n')) };
    client.send(open(batch.stream));
    await until(() => expect(opened(client)).toHaveLength(3));
    expect(opened(client).at(-1)?.value).toMatchObject({ checksum: { from: 0n, crc32: end.crc32 } });
  });
});
