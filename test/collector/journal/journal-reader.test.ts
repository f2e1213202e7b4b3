import { describe, expect, it, vi } from 'vitest';
import { SegmentLog } from '../../../src/storage/segments/segment-log.ts';
import { readAll, textsOf } from '../../support/captured-sink.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { LABEL, openJournal } from './opened-journal.ts';

const PATIENT = { timeout: 20_000, interval: 5 };

/** Counts the entries that are read from the disk. */
async function countingJournal(directory: string) {
  const disk = { reads: 0 };
  const openLog = async (path: string, segmentBytes: number) => {
    const log = await SegmentLog.open({ directory: path, segmentBytes });
    const read = log.read.bind(log);
    log.read = (location, allocate) => {
      disk.reads++;
      return read(location, allocate);
    };
    return log;
  };
  return { ...(await openJournal(directory, { openLog })), disk };
}

describe('JournalReader', () => {
  it('reads the newest entries from memory', async () => {
    const { journal, sink, disk, metric } = await countingJournal(await temporaryDirectory());
    const writer = journal.writer('a');
    writer.append(Buffer.from('one'), LABEL);
    writer.appendWithLf(Buffer.from('two'), LABEL, new Map([['network.peer.address', '10.0.0.1']]));
    await vi.waitFor(async () => expect(await metric('records_total')).toBe(2), PATIENT);
    const batches = await readAll(sink.stream);
    expect(textsOf(batches)).toEqual(['one', 'two\n']);
    expect(batches[0]?.recordPeers).toEqual(Uint32Array.of(0, 1));
    expect(disk.reads).toBe(0);
  });

  it('reads the same entries from the disk after a restart', async () => {
    const directory = await temporaryDirectory();
    const first = await openJournal(directory);
    first.journal.writer('a').append(Buffer.from('one'), LABEL);
    await first.close();
    const { sink, disk } = await countingJournal(directory);
    expect(textsOf(await readAll(sink.stream))).toEqual(['one']);
    expect(disk.reads).toBeGreaterThan(0);
  });

  it('keeps at most 4 MiB in memory, and reads older entries from the disk', async () => {
    const { journal, sink, disk, metric } = await countingJournal(await temporaryDirectory());
    const writer = journal.writer('a');
    const records = Array.from({ length: 96 }, (_, number) => `${number}`.padEnd(64 * 1024, '.'));
    for (const record of records) writer.append(Buffer.from(record), LABEL);
    await vi.waitFor(async () => expect(await metric('records_total')).toBe(96), PATIENT);
    expect(textsOf(await readAll(sink.stream))).toEqual(records);
    expect(disk.reads).toBeGreaterThan(0);
  });

  it('reads an entry of the disk once, also when it is part of several batches', async () => {
    const directory = await temporaryDirectory();
    const records = Array.from({ length: 30 }, (_, number) => `${number}`.padEnd(20_000, '.'));
    const first = await openJournal(directory);
    const writer = first.journal.writer('a');
    for (const record of records) {
      writer.append(Buffer.from(record), LABEL);
      // Entries of three records.
      if (writer.append(Buffer.from('|'), LABEL) === 'full') throw new Error('there is no room');
    }
    await first.close();
    const { sink, disk } = await countingJournal(directory);
    const whole = await sink.stream.read(0, Buffer.alloc(1024 * 1024));
    expect(whole).toMatchObject({ kind: 'records' });
    const entries = disk.reads;
    disk.reads = 0;
    const batches = await readAll(sink.stream, 0, 30_001);
    expect(batches.length).toBeGreaterThan(15);
    expect(textsOf(batches)).toEqual(records.flatMap((record) => [record, '|']));
    // The checks of batches read the bytes before them, too.
    expect(entries).toBe(1);
    expect(disk.reads).toBeLessThanOrEqual(2);
  });

  it('reuses the memory of older entries without changing what a reader has received', async () => {
    const { journal, sink, metric } = await countingJournal(await temporaryDirectory());
    const writer = journal.writer('a');
    const received: string[] = [];
    const sent: string[] = [];
    const buffer = Buffer.alloc(512 * 1024);
    let at = 0;
    const read = async () => {
      const result = await sink.stream.read(at, buffer);
      if (result.kind !== 'records') return;
      received.push(...textsOf([result.batch]));
      at = result.batch.start + result.batch.data.length;
    };
    // The reader is later than the commits by some remembered entries, whose memory must not be reused yet.
    for (let number = 0; number < 64; number++) {
      const record = `${number}`.padEnd(64 * 1024, String.fromCharCode(97 + (number % 26)));
      sent.push(record);
      writer.append(Buffer.from(record), LABEL);
      writer.flushSoon();
      await vi.waitFor(async () => expect(await metric('records_total')).toBe(number + 1), PATIENT);
      if (number % 8 === 7) await read();
    }
    while (received.length < sent.length) await read();
    expect(received).toEqual(sent);
  });
});
