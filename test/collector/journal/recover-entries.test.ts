import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { WriterOptions } from '../../../src/collector/journal/journal-writer.ts';
import { SegmentLog } from '../../../src/storage/segments/segment-log.ts';
import { type FileSystem, nodeFileSystem } from '../../../src/storage/state/file-system.ts';
import type { StateStore } from '../../../src/storage/state/state-store.ts';
import { readAll, textsOf } from '../../support/captured-sink.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { MortalDisk } from './mortal-disk.ts';
import { LABEL, type OpenedJournal, openJournal } from './opened-journal.ts';

const PATIENT = { timeout: 20_000, interval: 5 };
const FAILURE = 'MDB_MAP_FULL: the state store is full';

/** Its transactions fail after `fail`. */
function unreliableState() {
  let isFailing = false;
  return {
    fail: () => {
      isFailing = true;
    },
    wrapState: (state: StateStore): StateStore => ({
      table: (name) => state.table(name),
      close: () => state.close(),
      write: async (change) => {
        if (isFailing) throw new Error(FAILURE);
        await state.write(change);
      },
    }),
  };
}

/** A journal with the record `first` in its index, and later records that are only in its segment. */
async function unindexedRecords(later: readonly string[], options: WriterOptions = {}) {
  const directory = await temporaryDirectory();
  const { fail, wrapState } = unreliableState();
  const opened = await openJournal(directory, { wrapState });
  const flushed: number[] = [];
  const writer = opened.journal.writer('a', { onFlushed: (end) => flushed.push(end), ...options });
  writer.append(Buffer.from('first'), LABEL);
  await vi.waitFor(() => expect(opened.sink.streams.size).toBe(1), PATIENT);
  fail();
  for (const text of later) {
    const end = writer.append(Buffer.from(text), LABEL);
    writer.flushSoon();
    if (options.onStoring === undefined || options.isStoringRedone)
      await vi.waitFor(() => expect(flushed.at(-1)).toBe(end), PATIENT);
  }
  if (later.length > 0) await vi.waitFor(() => expect(opened.journal.failure).toBe(FAILURE), PATIENT);
  return { ...opened, directory, flushed, writer };
}

/** Notes the names of the files that are flushed. */
function recordingFlushes(steps: string[]): FileSystem {
  return {
    ...nodeFileSystem,
    open: async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      return {
        read: (buffer, position) => file.read(buffer, position),
        writev: (buffers, position) => file.writev(buffers, position),
        truncate: (size) => file.truncate(size),
        size: () => file.size(),
        close: () => file.close(),
        datasync: () => {
          steps.push(basename(path));
          return file.datasync();
        },
      };
    },
    syncDirectory: (path) => {
      steps.push('directory');
      return nodeFileSystem.syncDirectory(path);
    },
  };
}

async function texts({ sink }: OpenedJournal): Promise<string[]> {
  return textsOf(await readAll(sink.stream));
}

async function lastSegment(directory: string): Promise<string> {
  const log = join(directory, 'journal', 'test');
  return join(log, (await readdir(log)).toSorted().at(-1) ?? '');
}

describe('recoverEntries', () => {
  it('recovers records that were answered before the transaction of their group', async () => {
    const { directory, abandon } = await unindexedRecords(['second', 'third']);
    await abandon();
    const reopened = await openJournal(directory);
    expect(await texts(reopened)).toEqual(['first', 'second', 'third']);
    expect(reopened.lines.some(({ msg }) => String(msg).startsWith('Recovered records'))).toBe(true);
  });

  it('publishes no record before it is in the index', async () => {
    const opened = await unindexedRecords(['second']);
    expect(await texts(opened)).toEqual(['first']);
    await opened.abandon();
  });

  it('is not drained before answered records are in the index, and accepted', async () => {
    const { journal, sink, abandon } = await unindexedRecords(['second']);
    sink.stream.accept(5);
    const isDrained = journal.drained().then(() => true);
    // A drained journal reports it at once.
    expect(await Promise.race([isDrained, sleep(200, false)])).toBe(false);
    await abandon();
  });

  it('recovers each record once, also after another crash, and appends after them', async () => {
    const { directory, abandon } = await unindexedRecords(['second']);
    await abandon();
    const reopened = await openJournal(directory);
    await reopened.abandon();
    const again = await openJournal(directory);
    again.journal.writer('a').append(Buffer.from('third'), LABEL);
    await vi.waitFor(async () => expect(await texts(again)).toEqual(['first', 'second', 'third']), PATIENT);
    await again.close();
    const last = await openJournal(directory);
    expect(await texts(last)).toEqual(['first', 'second', 'third']);
  });

  it('flushes recovered entries and the names of their segments before they are in the index', async () => {
    const directory = await temporaryDirectory();
    const disk = new MortalDisk();
    const first = await openJournal(directory, { openLog: disk.openLog, wrapState: disk.wrapState });
    const writer = first.journal.writer('a');
    writer.append(Buffer.from('first'), LABEL);
    await vi.waitFor(() => expect(first.sink.streams.size).toBe(1), PATIENT);
    // The process ends between the write of the next entry and its flush.
    disk.killAfter(2);
    writer.append(Buffer.from('second'), LABEL);
    await vi.waitFor(() => expect(first.journal.failure).toContain('EIO'), PATIENT);
    await first.abandon();
    const steps: string[] = [];
    const reopened = await openJournal(directory, {
      openLog: (path, segmentBytes) =>
        SegmentLog.open({ directory: path, segmentBytes, fileSystem: recordingFlushes(steps) }),
      wrapState: (state) => ({
        table: (name) => state.table(name),
        close: () => state.close(),
        write: (change) => {
          steps.push('transaction');
          return state.write(change);
        },
      }),
    });
    expect(steps.slice(0, 3)).toEqual(['00000001.segment', 'directory', 'transaction']);
    expect(await texts(reopened)).toEqual(['first', 'second']);
  });

  it('ends at an entry that is torn or damaged', async () => {
    const { directory, abandon } = await unindexedRecords(['second', 'third']);
    await abandon();
    const segment = await lastSegment(directory);
    const bytes = await readFile(segment);
    await truncate(segment, bytes.length - 1);
    const reopened = await openJournal(directory);
    expect(await texts(reopened)).toEqual(['first', 'second']);
  });

  it('does not read bytes of an earlier attempt as entries', async () => {
    const { directory, abandon } = await unindexedRecords(['second']);
    await abandon();
    // The same entry once more: valid, but its predecessor is another one.
    const segment = await lastSegment(directory);
    const bytes = await readFile(segment);
    const begin = bytes.lastIndexOf(Buffer.from('MENT'));
    await appendFile(segment, bytes.subarray(begin));
    const reopened = await openJournal(directory);
    expect(await texts(reopened)).toEqual(['first', 'second']);
  });

  it('prefers the entry of a later segment to leftovers that could not be truncated', async () => {
    const { directory, abandon } = await unindexedRecords(['leftover']);
    await abandon();
    const leftover = await lastSegment(directory);
    const bytes = await readFile(leftover);
    // The next attempt, with the same predecessor, in a new segment.
    const begin = bytes.lastIndexOf(Buffer.from('MENT'));
    const header = Buffer.from(bytes.subarray(0, 16));
    header.writeBigUInt64LE(2n, 8);
    await writeFile(leftover.replace('00000001', '00000002'), Buffer.concat([header, bytes.subarray(begin)]));
    const reopened = await openJournal(directory);
    expect(await texts(reopened)).toEqual(['first', 'leftover']);
    reopened.journal.writer('a').append(Buffer.from('next'), LABEL);
    await vi.waitFor(
      async () => expect(await texts(reopened)).toEqual(['first', 'leftover', 'next']),
      PATIENT,
    );
    await reopened.close();
    expect(await readdir(join(directory, 'journal', 'test'))).toEqual([
      '00000001.segment',
      '00000002.segment',
    ]);
    expect((await readFile(leftover.replace('00000001', '00000002'))).includes('next')).toBe(true);
  });

  it('does not answer before the transaction when a source stores something with its records, and discards them', async () => {
    const { directory, abandon, flushed } = await unindexedRecords(['second'], { onStoring: () => {} });
    expect(flushed).toEqual([5]);
    await abandon();
    expect(flushed).toEqual([5]);
    expect(await texts(await openJournal(directory))).toEqual(['first']);
  });

  it('passes recovered records to the source that stores something with them', async () => {
    const options = { onStoring: () => {}, isStoringRedone: true };
    const { directory, abandon } = await unindexedRecords(['second', 'third'], options);
    await abandon();
    const recovered: string[] = [];
    await openJournal(directory, {
      onRecovered: (entries) => {
        for (const { origin, entry } of entries)
          recovered.push(`${origin}: ${Buffer.from(entry.data).toString()}`);
        return () => recovered.push('stored');
      },
    });
    expect(recovered).toEqual(['a: second', 'a: third', 'stored']);
  });

  it('does not answer the first records of a channel before the transaction that stores the channel', async () => {
    const { journal, abandon, directory } = await unindexedRecords([]);
    const flushed: number[] = [];
    const state = journal.writer('b', { onFlushed: (end) => flushed.push(end) });
    state.append(Buffer.from('other'), LABEL);
    state.flushSoon();
    await vi.waitFor(() => expect(journal.failure).toBe(FAILURE), PATIENT);
    expect(flushed).toEqual([]);
    await abandon();
    const reopened = await openJournal(directory);
    expect(reopened.journal.status().map(({ origin }) => origin)).toEqual(['a']);
  });

  it('reports a loss once when the report was written and its transaction failed', async () => {
    const opened = await unindexedRecords([]);
    opened.writer.drop(7, LABEL);
    await vi.waitFor(() => expect(opened.journal.failure).toBe(FAILURE), PATIENT);
    await opened.abandon();
    const reopened = await openJournal(opened.directory);
    expect(await texts(reopened)).toEqual(['first']);
  });

  it('commits the groups of failed transactions when the state store works again', async () => {
    const directory = await temporaryDirectory();
    let isFailing = false;
    const opened = await openJournal(directory, {
      wrapState: (state) => ({
        table: (name) => state.table(name),
        close: () => state.close(),
        write: async (change) => {
          if (isFailing) throw new Error(FAILURE);
          await state.write(change);
        },
      }),
    });
    const writer = opened.journal.writer('a');
    writer.append(Buffer.from('first'), LABEL);
    await vi.waitFor(() => expect(opened.sink.streams.size).toBe(1), PATIENT);
    isFailing = true;
    for (const text of ['second', 'third']) {
      writer.append(Buffer.from(text), LABEL);
      await vi.waitFor(() => expect(opened.journal.failure).toBe(FAILURE), PATIENT);
    }
    isFailing = false;
    await vi.waitFor(async () => expect(await texts(opened)).toEqual(['first', 'second', 'third']), PATIENT);
    expect(opened.journal.failure).toBeUndefined();
    await opened.close();
    expect(await texts(await openJournal(directory))).toEqual(['first', 'second', 'third']);
  });
});
