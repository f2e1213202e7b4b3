import { describe, expect, it, vi } from 'vitest';
import type { RecordLabel } from '../../../src/collector/journal/record-run.ts';
import { checkOf } from '../../../src/records/check.ts';
import { emptyChecksum, extendChecksum } from '../../../src/records/running-checksum.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { SegmentLog } from '../../../src/storage/segments/segment-log.ts';
import { type FileSystem, nodeFileSystem } from '../../../src/storage/state/file-system.ts';
import { type CapturedSink, readAll, textsOf } from '../../support/captured-sink.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { PullingSink, TakenBytes } from '../../support/pulling-sink.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { appendOrDrop, LABEL, openJournal } from './opened-journal.ts';

const bytes = (text: string) => Buffer.from(text);
const flushed = (sink: CapturedSink, count = 1) =>
  vi.waitFor(() => expect(sink.woken.length).toBeGreaterThanOrEqual(count), { timeout: 10_000 });

describe('Journal', () => {
  it('publishes appended records in order, and only after the flush', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const writer = journal.writer('a');
    for (let i = 0; i < 1000; i++) writer.append(bytes(`record ${i}`), LABEL);
    expect(sink.streams.size).toBe(0);
    await flushed(sink);
    const batches = await readAll(sink.stream);
    expect(textsOf(batches)).toEqual(Array.from({ length: 1000 }, (_, i) => `record ${i}`));
    expect(batches[0]).toMatchObject({ start: 0, format: 'plain', resource: LABEL.resource });
  });

  it('reads from any record into buffers of any size, with the check of the end', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const writer = journal.writer('a');
    let all = '';
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 20; i++) {
        const record = `${round}-${i};`;
        writer.append(bytes(record), LABEL);
        all += record;
      }
      await flushed(sink, round + 1);
    }
    for (const bufferBytes of [8, 100, 1000]) {
      const batches = await readAll(sink.stream, 0, bufferBytes);
      expect(batches.map(({ data }) => Buffer.from(data).toString()).join('')).toBe(all);
    }
    const from = all.indexOf('2-7;');
    const read = await sink.stream.read(from, Buffer.alloc(4));
    expect(read).toMatchObject({ kind: 'records', endCheck: checkOf(bytes(all.slice(0, from + 4))) });
  });

  it('keeps records of many peers in one batch, and splits them for an aggregator without the peer column', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const writer = journal.writer('a');
    const peers = ['1', '2'].map((address) => new Map([['network.peer.address', address]]));
    writer.append(bytes('none;'), LABEL);
    for (let i = 0; i < 5; i++) writer.append(bytes(`${i};`), LABEL, peers[i < 3 ? i % 2 : 0]);
    await flushed(sink);
    const [batch, ...others] = await readAll(sink.stream);
    expect(others).toEqual([]);
    expect(batch).toMatchObject({ peers, recordPeers: Uint32Array.of(0, 1, 2, 1, 1, 1) });
    const split: unknown[] = [];
    for (let at = 0; at < 15; ) {
      const read = await sink.stream.read(at, Buffer.alloc(100), false);
      if (read.kind !== 'records') break;
      const { batch: part, endCheck } = read;
      expect(part.peers).toBeUndefined();
      split.push([part.resource.get('network.peer.address'), Buffer.from(part.data).toString()]);
      at += part.data.length;
      expect(endCheck).toBe(checkOf(bytes('none;0;1;2;3;4;'.slice(0, at))));
    }
    expect(split).toEqual([
      [undefined, 'none;'],
      ['1', '0;'],
      ['2', '1;'],
      ['1', '2;3;4;'],
    ]);
  });

  it('reports the status of its streams, and the age of unaccepted records', async () => {
    const clock = new FakeClock();
    const { journal, sink } = await openJournal(await temporaryDirectory(), { clock });
    const writer = journal.writer('a');
    writer.append(bytes('12345'), LABEL);
    await clock.advance(10);
    await flushed(sink);
    writer.append(bytes('678'), LABEL);
    await clock.advance(5_000);
    await flushed(sink, 2);
    const stream = sink.stream.id;
    const [status] = journal.status();
    expect(status).toEqual({
      ...{ stream, origin: 'a', readBytes: 8, acceptedBytes: 0, waitingBytes: 8 },
      oldestWaitingMs: expect.any(Number),
    });
    expect(status?.oldestWaitingMs).toBeGreaterThanOrEqual(4_900);
    sink.stream.accept(8);
    expect(journal.status()).toEqual([
      { stream, origin: 'a', readBytes: 8, acceptedBytes: 8, waitingBytes: 0 },
    ]);
  });

  it('keeps records of different labels in different batches', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const other: RecordLabel = { format: 'plain', resource: new Map([['host.name', 'other']]) };
    const writer = journal.writer('a');
    writer.append(bytes('1'), LABEL);
    writer.append(bytes('2'), other);
    writer.append(bytes('3'), other);
    writer.append(bytes('4'), LABEL);
    await flushed(sink);
    const batches = await readAll(sink.stream);
    expect(batches.map((batch) => [textsOf([batch]), batch.resource.get('host.name')])).toEqual([
      [['1'], 'h'],
      [['2', '3'], 'other'],
      [['4'], 'h'],
    ]);
  });

  it('restores all records after a restart, and appends after them', async () => {
    const directory = await temporaryDirectory();
    const first = await openJournal(directory);
    first.journal.writer('a').append(bytes('one'), LABEL);
    await first.close();
    const second = await openJournal(directory);
    expect(second.journal.openOrigins).toEqual(['a']);
    const { id } = second.sink.stream;
    second.journal.writer('a').append(bytes('two'), LABEL);
    await flushed(second.sink);
    expect(textsOf(await readAll(second.sink.stream))).toEqual(['one', 'two']);
    expect(second.sink.stream.id).toBe(id);
  });

  it('removes accepted records, and resumes after them after a restart', async () => {
    const directory = await temporaryDirectory();
    const first = await openJournal(directory, { maxBytes: 1024 * 1024 });
    const writer = first.journal.writer('a');
    for (let i = 0; i < 300; i++) writer.append(Buffer.alloc(1000, 65 + (i % 26)), LABEL);
    await vi.waitFor(async () => expect(await first.metric('records_total')).toBe(300));
    expect(await first.metric('disk_bytes')).toBeGreaterThan(300_000);
    first.sink.stream.accept(299_000);
    await vi.waitFor(async () => expect(await first.metric('disk_bytes')).toBeLessThan(150_000), {
      timeout: 10_000,
    });
    await first.close();

    const second = await openJournal(directory, { maxBytes: 1024 * 1024 });
    const { stream } = second.sink;
    expect(stream.accepted).toBe(299_000);
    const check = checkOf(Buffer.alloc(64, 65 + (298 % 26)));
    const known = { end: 299_000, check, contiguousEnd: 299_000 };
    expect(await stream.resume(known)).toEqual({ kind: 'continue', from: 299_000 });
    expect(textsOf(await readAll(stream))).toEqual([String.fromCharCode(65 + (299 % 26)).repeat(1000)]);
  });

  it('returns consistent positions, checks and bytes across restarts', async () => {
    const directory = await temporaryDirectory();
    const taken = new TakenBytes();
    let expected = '';
    for (let life = 0; life < 4; life++) {
      const { journal, close } = await openJournal(directory);
      const sink = new PullingSink({ taken, bufferBytes: 50 });
      sink.accepting = life % 2 === 0;
      journal.attach(sink);
      const writer = journal.writer('a');
      for (let i = 0; i < 100; i++) {
        const record = `${life} ${i}${'.'.repeat(i % 30)};`;
        writer.append(bytes(record), LABEL);
        expected += record;
        if (i % 10 === 0) await systemClock.sleep(5);
      }
      await vi.waitFor(() => expect(taken.text()).toBe(expected), { timeout: 10_000 });
      await sink.idle();
      await close();
    }
  });

  it('returns the checksums of the stream with each batch, also after removals and restarts', async () => {
    const directory = await temporaryDirectory();
    const texts = Array.from({ length: 60 }, (_, i) => `record ${i} ${'x'.repeat(1000)}`);
    const whole = texts.join('');
    const upTo = (end: number) => extendChecksum(emptyChecksum(0), bytes(whole.slice(0, end)));
    let accepted = 0;
    for (let life = 0; life < 3; life++) {
      const { journal, sink, close } = await openJournal(directory, { maxBytes: 1024 * 1024 });
      const writer = journal.writer('a');
      for (const text of texts.slice(life * 20, life * 20 + 20)) writer.append(bytes(text), LABEL);
      await flushed(sink);
      const known = { end: accepted, check: undefined, checksum: upTo(accepted), contiguousEnd: accepted };
      expect(await sink.stream.resume(known)).toEqual({ kind: 'continue', from: accepted });
      for (let batch = 0; batch < 3; batch++) {
        const read = await sink.stream.read(accepted, Buffer.alloc(3000));
        if (read.kind !== 'records') throw new Error(read.kind);
        const end = accepted + read.batch.data.length;
        expect(read.checksums).toEqual({ start: upTo(accepted), end: upTo(end) });
        accepted = end;
        sink.stream.accept(accepted);
      }
      await close();
    }
  });

  it('starts a new stream when only bytes before the last 64 differ', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const end = `${'='.repeat(100)};`;
    journal.writer('a').append(bytes(`ours${end}`), LABEL);
    await flushed(sink);
    const old = sink.stream;
    const theirs = bytes(`else${end}`);
    const known = {
      end: theirs.length,
      check: checkOf(theirs),
      checksum: extendChecksum(emptyChecksum(0), theirs),
      contiguousEnd: theirs.length,
    };
    expect(await old.resume(known)).toEqual({ kind: 'ended' });
    expect(sink.stream.id).not.toBe(old.id);
    const read = await sink.stream.read(0, Buffer.alloc(1000));
    expect(read).toMatchObject({ checksums: { start: emptyChecksum(0) } });
  });

  it('continues at the position of the aggregator when it is after the checkpoint', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const writer = journal.writer('a');
    writer.append(bytes('one'), LABEL);
    writer.append(bytes('two'), LABEL);
    await flushed(sink);
    const decision = await sink.stream.resume({ end: 3, check: checkOf(bytes('one')), contiguousEnd: 3 });
    expect(decision).toEqual({ kind: 'continue', from: 3 });
    expect(sink.stream.accepted).toBe(3);
  });

  it('continues at the checkpoint when the aggregator does not know the stream', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    journal.writer('a').append(bytes('one'), LABEL);
    await flushed(sink);
    sink.stream.accept(3);
    const decision = await sink.stream.resume({ end: 0, check: undefined, contiguousEnd: 0 });
    expect(decision).toEqual({ kind: 'continue', from: 3 });
  });

  it.each([
    ['other bytes', { end: 3, check: checkOf(bytes('two')), contiguousEnd: 3 }],
    ['more bytes than there are', { end: 300, check: checkOf(bytes('?')), contiguousEnd: 300 }],
  ])('starts a new stream when the aggregator has %s', async (_, known) => {
    const directory = await temporaryDirectory();
    const { journal, sink, close } = await openJournal(directory);
    const writer = journal.writer('a');
    writer.append(bytes('one'), LABEL);
    writer.append(bytes('two'), LABEL);
    await flushed(sink);
    const old = sink.stream;
    old.accept(3);
    expect(await old.resume(known)).toEqual({ kind: 'ended' });
    expect(sink.closed).toEqual([old.id]);
    expect(sink.stream.id).not.toBe(old.id);
    expect(sink.stream.accepted).toBe(0);
    const [batch] = await readAll(sink.stream);
    expect(batch).toMatchObject({ start: 0, data: bytes('two') });
    expect(await sink.stream.read(0, Buffer.alloc(9))).toMatchObject({ endCheck: checkOf(bytes('two')) });

    const { id } = sink.stream;
    await close();
    const again = await openJournal(directory);
    expect(again.sink.stream.id).toBe(id);
    expect(textsOf(await readAll(again.sink.stream))).toEqual(['two']);
  });

  it('ends a closed stream when it is read, and removes it when it is accepted', async () => {
    const directory = await temporaryDirectory();
    const { journal, sink, close } = await openJournal(directory);
    const writer = journal.writer('a');
    writer.append(bytes('one'), LABEL);
    await flushed(sink);
    writer.close();
    await flushed(sink, 2);
    expect(await sink.stream.read(3, Buffer.alloc(9))).toEqual({ kind: 'ended' });
    expect(journal.openOrigins).toEqual([]);
    sink.stream.accept(3);
    await close();
    expect((await openJournal(directory)).sink.streams.size).toBe(0);
  });

  it('begins a new stream for an origin that reappears', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const writer = journal.writer('a');
    writer.append(bytes('one'), LABEL);
    writer.close();
    journal.writer('a').append(bytes('two'), LABEL);
    await vi.waitFor(() => expect(sink.streams.size).toBe(2));
    const texts = await Promise.all(
      [...sink.streams.values()].map(async (stream) => textsOf(await readAll(stream))),
    );
    expect(texts.flat().sort()).toEqual(['one', 'two']);
  });

  it('counts records after the end of a stream, and reports them in the stream', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const writer = journal.writer('a');
    writer.append(bytes('one'), LABEL);
    writer.close();
    appendOrDrop(writer, bytes('too late'), LABEL);
    await vi.waitFor(async () =>
      expect(textsOf(await readAll(sink.stream))).toEqual(['one', 'lost 1 records of 8 bytes']),
    );
  });

  it('drops and counts records when it is full, and reports the loss when there is room', async () => {
    const { journal, sink, lines, metric } = await openJournal(await temporaryDirectory(), {
      maxBytes: 256 * 1024,
    });
    const writer = journal.writer('a');
    for (let i = 0; i < 400; i++) appendOrDrop(writer, Buffer.alloc(1000, 46), LABEL);
    const lost = (await metric('lost_records_total')) ?? 0;
    expect(lost).toBeGreaterThan(100);
    expect(lost).toBeLessThan(300);
    await vi.waitFor(async () => expect(await metric('records_total')).toBe(400 - lost));
    expect(lines.some(({ msg }) => msg.startsWith('The journal has no room;'))).toBe(true);

    sink.stream.accept(100_000_000);
    await vi.waitFor(async () => expect(await metric('records_total')).toBe(401 - lost), { timeout: 20_000 });
    expect(textsOf(await readAll(sink.stream))).toEqual([`lost ${lost} records of ${lost * 1000} bytes`]);
    writer.append(bytes('next'), LABEL);
    await vi.waitFor(async () => expect(textsOf(await readAll(sink.stream))).toHaveLength(2));
    expect(lines.some(({ msg }) => msg === 'The journal has room again')).toBe(true);
  });

  it('keeps a loss across a restart, and reports it once', async () => {
    const directory = await temporaryDirectory();
    const options = { maxBytes: 256 * 1024 };
    const first = await openJournal(directory, options);
    const writer = first.journal.writer('a');
    for (let i = 0; i < 400; i++) appendOrDrop(writer, Buffer.alloc(1000, 46), LABEL);
    const lost = (await first.metric('lost_records_total')) ?? 0;
    await first.close();

    const second = await openJournal(directory, options);
    second.sink.stream.accept(100_000_000);
    await vi.waitFor(async () => expect(textsOf(await readAll(second.sink.stream))).toHaveLength(1), {
      timeout: 10_000,
    });
    await second.close();
    const third = await openJournal(directory, options);
    const batches = await readAll(third.sink.stream);
    expect(textsOf(batches)).toEqual([`lost ${lost} records of ${lost * 1000} bytes`]);
    expect(batches[0]).toMatchObject(LABEL);
  });

  it('reserves half of its size for other streams', async () => {
    const { journal, metric } = await openJournal(await temporaryDirectory(), { maxBytes: 512 * 1024 });
    const greedy = journal.writer('greedy');
    const modest = journal.writer('modest');
    for (let i = 0; i < 600; i++) appendOrDrop(greedy, Buffer.alloc(1000), LABEL);
    const lost = await metric('lost_records_total');
    expect(lost).toBeGreaterThan(300);
    for (let i = 0; i < 100; i++) appendOrDrop(modest, Buffer.alloc(1000), LABEL);
    expect(await metric('lost_records_total')).toBe(lost);
  });

  it('does not use the reserve of the disk', async () => {
    const freeSpace = {
      check: async () => freeSpace.shortage,
      shortage: 'nearly full' as string | undefined,
    };
    const { journal, sink, metric } = await openJournal(await temporaryDirectory(), { freeSpace });
    appendOrDrop(journal.writer('a'), bytes('one'), LABEL);
    expect(await metric('lost_records_total')).toBe(1);
    freeSpace.shortage = undefined;
    await flushed(sink);
    expect(textsOf(await readAll(sink.stream))).toEqual(['lost 1 records of 3 bytes']);
  });

  it('loses no record when the disk fails for a while', async () => {
    let failing = 2;
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      open: async (path, mode) => {
        const file = await nodeFileSystem.open(path, mode);
        const datasync = file.datasync.bind(file);
        file.datasync = async () => {
          if (failing-- > 0) throw new Error('EIO');
          await datasync();
        };
        return file;
      },
    };
    const { journal, sink, lines } = await openJournal(await temporaryDirectory(), {
      openLog: (directory, segmentBytes) => SegmentLog.open({ directory, segmentBytes, fileSystem }),
    });
    const writer = journal.writer('a');
    writer.append(bytes('one'), LABEL);
    await vi.waitFor(() =>
      expect(lines.some(({ msg }) => msg.startsWith('Cannot flush the journal'))).toBe(true),
    );
    expect(journal.failure).toContain('EIO');
    writer.append(bytes('two'), LABEL);
    await flushed(sink);
    expect(journal.failure).toBeUndefined();
    expect(textsOf(await readAll(sink.stream))).toEqual(['one', 'two']);
  });

  it('is drained when all existing records are accepted', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    await journal.drained();
    journal.writer('a').append(bytes('one'), LABEL);
    let drained = false;
    const waiting = journal.drained().then(() => {
      drained = true;
    });
    await flushed(sink);
    expect(drained).toBe(false);
    sink.stream.accept(3);
    await waiting;
  });
});
