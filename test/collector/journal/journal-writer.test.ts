import { describe, expect, it, vi } from 'vitest';
import type { JournalWriter } from '../../../src/collector/journal/journal-writer.ts';
import type { RecordLabel } from '../../../src/collector/journal/record-run.ts';
import { peerOf } from '../../../src/records/peer-column.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { SegmentLog } from '../../../src/storage/segments/segment-log.ts';
import { type FileSystem, nodeFileSystem } from '../../../src/storage/state/file-system.ts';
import { readAll, textsOf } from '../../support/captured-sink.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { appendOrDrop, LABEL, openJournal } from './opened-journal.ts';

const bytes = (text: string) => Buffer.from(text);
const PATIENT = { timeout: 20_000, interval: 5 };
const SMALL = { maxBytes: 256 * 1024 };

/** Appends records of 1000 bytes until there is no room. */
function fill(writer: JournalWriter): number {
  let records = 0;
  while (writer.append(Buffer.alloc(1000, 46), LABEL) !== 'full') records++;
  return records;
}

/** The disk fails while `failing` returns true; `flushes` counts the attempts. */
function unreliableDisk(failing: () => boolean) {
  const disk = { flushes: 0 };
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    open: async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      const datasync = file.datasync.bind(file);
      file.datasync = async () => {
        disk.flushes++;
        if (failing()) throw new Error('EIO');
        await datasync();
      };
      return file;
    },
  };
  const openLog = (directory: string, segmentBytes: number) =>
    SegmentLog.open({ directory, segmentBytes, fileSystem });
  return { disk, openLog };
}

describe('JournalWriter: positions', () => {
  it('returns the end of the appended records, and reports it once after the commit', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const flushed: number[] = [];
    const writer = journal.writer('a', { onFlushed: (end) => flushed.push(end) });
    expect([writer.append(bytes('one'), LABEL), writer.append(bytes('three'), LABEL)]).toEqual([3, 8]);
    expect(writer.append(bytes(''), LABEL)).toBe(8);
    expect(flushed).toEqual([]);
    await vi.waitFor(() => expect(flushed).toEqual([8]), PATIENT);
    expect(writer.append(bytes('!'), LABEL)).toBe(9);
    await vi.waitFor(() => expect(flushed).toEqual([8, 9]), PATIENT);
    sink.stream.accept(9);
    await journal.stop(AbortSignal.timeout(10_000));
    expect(flushed).toEqual([8, 9]);
  });

  it('continues the positions after a restart and after a rollback', async () => {
    const directory = await temporaryDirectory();
    const first = await openJournal(directory);
    first.journal.writer('a').append(bytes('one'), LABEL);
    await first.close();
    const { journal, sink } = await openJournal(directory);
    expect(journal.writer('a').append(bytes('two'), LABEL)).toBe(6);
    await sink.stream.resume({ end: 1e9, check: undefined, contiguousEnd: 0 });
    expect(journal.writer('a').append(bytes('three'), LABEL)).toBe(11);
  });

  it('includes loss reports, so that positions stay exact', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory(), SMALL);
    const flushed: number[] = [];
    const writer = journal.writer('a', { onFlushed: (end) => flushed.push(end) });
    const filled = fill(writer) * 1000;
    appendOrDrop(writer, Buffer.alloc(1000), LABEL);
    await vi.waitFor(() => expect(flushed.at(-1)).toBe(filled), PATIENT);
    sink.stream.accept(filled);
    await vi.waitFor(() => expect(flushed.at(-1)).toBeGreaterThan(filled), PATIENT);
    const [, report = ''] = [0, ...textsOf(await readAll(sink.stream))];
    expect(writer.append(bytes('next'), LABEL)).toBe(filled + String(report).length + 4);
    await vi.waitFor(() => expect(flushed.at(-1)).toBe(filled + String(report).length + 4), PATIENT);
  });

  it('reports a position only when its commit succeeds', async () => {
    let isFailing = true;
    const { openLog } = unreliableDisk(() => isFailing);
    const { journal } = await openJournal(await temporaryDirectory(), { openLog });
    const flushed: number[] = [];
    const writer = journal.writer('a', { onFlushed: (end) => flushed.push(end) });
    writer.append(bytes('one'), LABEL);
    await vi.waitFor(() => expect(journal.failure).toContain('EIO'), PATIENT);
    writer.append(bytes('two'), LABEL);
    expect(flushed).toEqual([]);
    isFailing = false;
    await vi.waitFor(() => expect(flushed.at(-1)).toBe(6), PATIENT);
  });

  it('reports once for each origin when one commit has records of several', async () => {
    const { journal } = await openJournal(await temporaryDirectory());
    const flushed: string[] = [];
    const writers = ['a', 'b'].map((origin) =>
      journal.writer(origin, { onFlushed: (end) => flushed.push(`${origin} ${end}`) }),
    );
    for (let number = 0; number < 5; number++)
      for (const writer of writers) writer.append(bytes(`${number}`), LABEL);
    await vi.waitFor(() => expect(flushed).toEqual(['a 5', 'b 5']), PATIENT);
  });
});

describe('JournalWriter: appendRun', () => {
  const run = (texts: readonly string[]) => ({
    data: bytes(texts.join('')),
    sizes: Uint32Array.from(texts, (text) => text.length),
  });

  it('appends the records of a run in order with single ones, and reports their common end', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const flushed: number[] = [];
    const writer = journal.writer('a', { onFlushed: (end) => flushed.push(end) });
    expect(writer.append(bytes('one;'), LABEL)).toBe(4);
    expect(writer.appendRun(run(['two;', 'three;']), LABEL)).toBe(14);
    expect(writer.appendRun(run([]), LABEL)).toBe(14);
    expect(writer.append(bytes('four;'), LABEL)).toBe(19);
    await vi.waitFor(() => expect(flushed).toEqual([19]), PATIENT);
    expect(textsOf(await readAll(sink.stream))).toEqual(['one;', 'two;', 'three;', 'four;']);
  });

  it('keeps the sender of each record', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory());
    const peers = ['x', 'y'].map((name) => new Map([['peer', name]]));
    const writer = journal.writer('a');
    writer.appendRun({ ...run(['1', '2', '3']), peers, recordPeers: Uint32Array.of(1, 0, 1) }, LABEL);
    writer.appendRun({ ...run(['4']), peer: peers[0] }, LABEL);
    writer.appendRun(run(['5']), LABEL);
    await vi.waitFor(() => expect(sink.streams.size).toBe(1), PATIENT);
    const batches = await readAll(sink.stream);
    const names = batches.flatMap((batch) =>
      Array.from(batch.sizes, (_, index) => peerOf(batch, index)?.get('peer')),
    );
    expect(names).toEqual(['y', 'x', 'y', 'x', undefined]);
  });

  it('appends a run larger than an entry, and none of a run without room', async () => {
    const { journal, sink } = await openJournal(await temporaryDirectory(), { maxBytes: 1024 * 1024 });
    const writer = journal.writer('a');
    const large = run(Array.from({ length: 700 }, (_, index) => `${index}`.padStart(1000, '.')));
    const end = writer.appendRun(large, LABEL);
    expect(end).toBe(700_000);
    expect(writer.appendRun(large, LABEL)).toBe('full');
    expect(writer.append(bytes(''), LABEL)).toBe(700_000);
    await vi.waitFor(() => expect(sink.streams.size).toBe(1), PATIENT);
    const texts = textsOf(await readAll(sink.stream));
    expect(texts.map(Number.parseFloat).length).toBe(700);
    expect(texts.at(-1)).toMatch(/\.699$/);
  });
});

const LARGE_BYTES = 70 * 1024;
const large = (name: string) => bytes(name.repeat(LARGE_BYTES));

/**
 * Appends a large record, and another one in the middle of the flush of the first. Transactions wait until `release`.
 * `failingFlush`: the number of the flush that fails. `isStoring`: the source stores something with its records.
 */
async function twoGroups({ failingFlush = 0, isStoring = false } = {}) {
  const log: string[] = [];
  const held: ((failure?: Error) => void)[] = [];
  let isArmed = false;
  let flushes = 0;
  const { openLog } = unreliableDisk(() => {
    if (!isArmed) return false;
    log.push('flush');
    flushes++;
    if (flushes === 1) writer.append(large('b'), LABEL);
    return flushes === failingFlush;
  });
  const opened = await openJournal(await temporaryDirectory(), {
    openLog,
    wrapState: (state) => ({
      table: (name) => state.table(name),
      close: () => state.close(),
      write: async (change) => {
        if (isArmed) {
          log.push('transaction');
          const failure = await new Promise<Error | undefined>((resolve) => held.push(resolve));
          if (failure !== undefined) throw failure;
        }
        await state.write(change);
      },
    }),
  });
  const flushed: number[] = [];
  const writer = opened.journal.writer('a', {
    onFlushed: (end) => flushed.push(end),
    ...(isStoring && { onStoring: () => {} }),
  });
  writer.append(bytes('begin'), LABEL);
  await vi.waitFor(() => expect(flushed).toEqual([5]), PATIENT);
  isArmed = true;
  writer.append(large('a'), LABEL);
  writer.flushSoon();
  const steps = isStoring ? ['flush', 'transaction', 'flush'] : ['flush', 'flush', 'transaction'];
  await vi.waitFor(() => expect(log.toSorted().slice(0, 3)).toEqual(steps.toSorted()), PATIENT);
  if (isStoring) expect(log.slice(0, 3)).toEqual(steps);
  const release = (failure?: Error) => {
    isArmed = false;
    for (const each of held.splice(0)) each(failure);
  };
  const texts = async () => textsOf(await readAll(opened.sink.stream)).map((text) => text.slice(0, 1));
  return { ...opened, flushed, release, texts };
}

describe('JournalWriter: groups', () => {
  const ENDS = [5, 5 + LARGE_BYTES, 5 + 2 * LARGE_BYTES];

  it('writes and flushes a group during the transaction of the previous one, and commits both in order', async () => {
    const { flushed, release, texts } = await twoGroups({ isStoring: true });
    expect(flushed).toEqual([5]);
    release();
    await vi.waitFor(() => expect(flushed).toEqual(ENDS), PATIENT);
    expect(await texts()).toEqual(['b', 'a', 'b']);
  });

  it('answers groups during a transaction, and publishes them after it', async () => {
    const { flushed, release, texts } = await twoGroups();
    await vi.waitFor(() => expect(flushed).toEqual(ENDS), PATIENT);
    expect(await texts()).toEqual(['b']);
    release();
    await vi.waitFor(async () => expect(await texts()).toEqual(['b', 'a', 'b']), PATIENT);
  });

  it('stores both groups in order and once when the first transaction fails', async () => {
    const { flushed, release, texts, lines } = await twoGroups({ isStoring: true });
    release(new Error('EIO'));
    await vi.waitFor(() => expect(flushed.at(-1)).toBe(ENDS.at(-1)), PATIENT);
    expect(lines.some(({ msg }) => String(msg).startsWith('Cannot flush the journal'))).toBe(true);
    expect(await texts()).toEqual(['b', 'a', 'b']);
  });

  it('keeps the first group when the flush of the second one fails', async () => {
    const { flushed, release, texts } = await twoGroups({ isStoring: true, failingFlush: 2 });
    release();
    await vi.waitFor(() => expect(flushed).toEqual(ENDS), PATIENT);
    expect(await texts()).toEqual(['b', 'a', 'b']);
  });

  it('stores both groups once when the transaction of the first and the flush of the second fail', async () => {
    const { flushed, release, texts } = await twoGroups({ isStoring: true, failingFlush: 2 });
    release(new Error('EIO'));
    await vi.waitFor(() => expect(flushed.at(-1)).toBe(ENDS.at(-1)), PATIENT);
    expect(await texts()).toEqual(['b', 'a', 'b']);
  });
});

describe('JournalWriter: flushSoon', () => {
  it('commits what was appended in the same turn without the delay of the group', async () => {
    const clock = new FakeClock();
    const { journal } = await openJournal(await temporaryDirectory(), { clock });
    const flushed: number[] = [];
    const writer = journal.writer('a', { onFlushed: (end) => flushed.push(end) });
    writer.append(bytes('one'), LABEL);
    writer.flushSoon();
    writer.append(bytes('two'), LABEL);
    // The clock does not advance, so no timer can begin this commit.
    await vi.waitFor(() => expect(flushed).toEqual([6]), PATIENT);
    writer.append(bytes('three'), LABEL);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(flushed).toEqual([6]);
    writer.flushSoon();
    await vi.waitFor(() => expect(flushed).toEqual([6, 11]), PATIENT);
  });

  it('puts what arrives during a commit into the next one', async () => {
    const clock = new FakeClock();
    const { journal } = await openJournal(await temporaryDirectory(), { clock });
    const flushed: number[] = [];
    let appended = 0;
    const writer = journal.writer('a', {
      onFlushed: (end) => {
        flushed.push(end);
        if (appended++ < 3) append();
      },
    });
    function append() {
      writer.append(bytes('x'), LABEL);
      writer.flushSoon();
    }
    append();
    await vi.waitFor(() => expect(flushed).toEqual([1, 2, 3, 4]), PATIENT);
  });

  it('does not retry a failed commit before its time', async () => {
    let isFailing = true;
    const clock = new FakeClock();
    const { disk, openLog } = unreliableDisk(() => isFailing);
    const { journal, metric } = await openJournal(await temporaryDirectory(), { openLog, clock });
    const writer = journal.writer('a');
    const append = () => {
      writer.append(bytes('x'), LABEL);
      writer.flushSoon();
    };
    append();
    await vi.waitFor(() => expect(journal.failure).toContain('EIO'), PATIENT);
    const { flushes } = disk;
    for (let number = 0; number < 100; number++) append();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(disk.flushes).toBe(flushes);
    isFailing = false;
    await clock.advance(1000);
    await vi.waitFor(async () => expect(await metric('records_total')).toBe(101), PATIENT);
  });
});

describe('JournalWriter: whenRoom', () => {
  it('resolves at once while there is room', async () => {
    const { journal } = await openJournal(await temporaryDirectory());
    expect(await journal.writer('a').whenRoom(1000)).toBe(true);
  });

  it('keeps nothing of a record without room, and loses nothing for a source that waits', async () => {
    const { journal, sink, metric } = await openJournal(await temporaryDirectory(), SMALL);
    const writer = journal.writer('a');
    const records = Array.from({ length: 1000 }, (_, number) => `${number}${'.'.repeat(1000)};`);
    const expected = records.join('');
    const sending = (async () => {
      for (const record of records)
        while (writer.append(bytes(record), LABEL) === 'full')
          expect(await writer.whenRoom(record.length)).toBe(true);
    })();
    await vi.waitFor(async () => expect(await metric('full')).toBe(1), PATIENT);
    let received = '';
    await vi.waitFor(async () => {
      for (const { data } of await readAll(sink.stream)) {
        received += Buffer.from(data).toString();
        sink.stream.accept(received.length);
      }
      expect(received.length).toBe(expected.length);
    }, PATIENT);
    await sending;
    expect(received).toBe(expected);
    expect(await metric('lost_records_total')).toBe(0);
    expect(await metric('full')).toBe(0);
  });

  it('waits until the stream has less than its share when there are other streams', async () => {
    const { journal, sink, metric } = await openJournal(await temporaryDirectory(), {
      maxBytes: 1024 * 1024,
    });
    const greedy = journal.writer('greedy');
    const modest = journal.writer('modest');
    const records = fill(greedy);
    expect(await modest.whenRoom(1000)).toBe(true);
    let hasRoom = false;
    const waiting = greedy.whenRoom(1000).then((result) => {
      hasRoom = result;
    });
    await vi.waitFor(async () => expect(await metric('records_total')).toBe(records), PATIENT);
    expect(hasRoom).toBe(false);
    sink.stream.accept(records * 1000);
    await waiting;
    expect(hasRoom).toBe(true);
  });

  it('notices free disk space that comes without an event', async () => {
    const clock = new FakeClock();
    const freeSpace = {
      check: async () => freeSpace.shortage,
      shortage: 'nearly full' as string | undefined,
    };
    const { journal } = await openJournal(await temporaryDirectory(), { freeSpace, clock });
    const writer = journal.writer('a');
    expect(writer.append(bytes('one'), LABEL)).toBe('full');
    let hasRoom: boolean | undefined;
    void writer.whenRoom(3).then((result) => {
      hasRoom = result;
    });
    await clock.advance(5000);
    expect(hasRoom).toBeUndefined();
    freeSpace.shortage = undefined;
    await vi.waitFor(async () => {
      await clock.advance(1000);
      expect(hasRoom).toBe(true);
    }, PATIENT);
  });

  it('serves all waiting senders of one writer', async () => {
    const { journal, sink, metric } = await openJournal(await temporaryDirectory(), SMALL);
    const writer = journal.writer('a');
    fill(writer);
    const senders = Array.from({ length: 200 }, async (_, number) => {
      const record = bytes(`${number}${'.'.repeat(2000)};`);
      while (writer.append(record, LABEL) === 'full')
        if (!(await writer.whenRoom(record.length))) throw new Error('no room');
    });
    let isDone = false;
    const accepting = (async () => {
      while (!isDone) {
        const [stream] = sink.streams.values();
        const batch = stream && (await readAll(stream)).at(-1);
        if (batch !== undefined) stream?.accept(batch.start + batch.data.length);
        await systemClock.sleep(5);
      }
    })();
    await Promise.all(senders);
    isDone = true;
    await accepting;
    expect(await metric('lost_records_total')).toBe(0);
  });

  it.each<[string, (writer: JournalWriter, stop: () => Promise<void>, abort: () => void) => unknown]>([
    ['the writer is closed', (writer) => writer.close()],
    ['the journal stops', (_writer, stop) => stop()],
    ['the signal is aborted', (_writer, _stop, abort) => abort()],
  ])('resolves with false when %s', async (_, act) => {
    const { journal } = await openJournal(await temporaryDirectory(), SMALL);
    const writer = journal.writer('a');
    fill(writer);
    const controller = new AbortController();
    const waiting = writer.whenRoom(1000, controller.signal);
    await act(
      writer,
      () => journal.stop(AbortSignal.timeout(10_000)),
      () => controller.abort(),
    );
    expect(await waiting).toBe(false);
    expect(await writer.whenRoom(1000, controller.signal)).toBe(false);
  });
});

describe('JournalWriter: several senders', () => {
  const sender = (name: string): RecordLabel => ({
    format: 'plain',
    resource: new Map([['network.peer.address', name]]),
  });

  it('keeps one batch for each sender of a commit when senders alternate', async () => {
    const { journal, sink, metric } = await openJournal(await temporaryDirectory());
    const senders = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(sender);
    const writer = journal.writer('listener', { order: 'label' });
    for (let number = 0; number < 300; number++) {
      const label = senders[number % 3] ?? LABEL;
      writer.append(bytes(`${number};`), label);
    }
    await vi.waitFor(async () => expect(await metric('records_total')).toBe(300), PATIENT);
    const batches = await readAll(sink.stream);
    expect(
      batches.map(({ resource, sizes }) => [resource.get('network.peer.address'), sizes.length]),
    ).toEqual([
      ['10.0.0.1', 100],
      ['10.0.0.2', 100],
      ['10.0.0.3', 100],
    ]);
    for (const [index, batch] of batches.entries())
      expect(textsOf([batch])).toEqual(Array.from({ length: 100 }, (_, i) => `${i * 3 + index};`));
  });
});

describe('JournalWriter: metrics', () => {
  it('labels metrics with the source, and continues the unlabelled ones of version 0.1.0', async () => {
    const { journal, metrics } = await openJournal(await temporaryDirectory(), {
      name: 'some-source',
      unlabelledPrefix: 'collector_some_source_journal',
    });
    journal.writer('a').append(bytes('one'), LABEL);
    await vi.waitFor(async () => {
      const text = await metrics.metrics();
      expect(text).toContain('collector_journal_records_total{source="some-source"} 1');
      expect(text).toContain('collector_some_source_journal_records_total 1');
      expect(text).toContain('collector_journal_lost_records_total{source="some-source"} 0');
    }, PATIENT);
  });
});
