import { describe, expect, it } from 'vitest';
import type { StreamId } from '../../../src/records/stream-id.ts';
import { readAll } from '../../support/captured-sink.ts';
import { testProcess } from '../../support/processes.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { openJournal } from './opened-journal.ts';

/** The lines of the process. */
interface PrintedRead {
  readonly id: StreamId;
  readonly start: number;
  readonly text: string;
}

interface PrintedFlush {
  readonly origin: string;
  readonly flushed: number;
}

/** The bytes of each stream that were read. */
class KnownStreams {
  readonly texts = new Map<StreamId, string>();

  /** All records read must match earlier reads, without a gap after them. */
  read(id: StreamId, start: number, text: string): void {
    const known = this.texts.get(id) ?? '';
    expect(start, 'a gap').toBeLessThanOrEqual(known.length);
    const overlap = known.slice(start, start + text.length);
    expect(text.slice(0, overlap.length)).toBe(overlap);
    this.texts.set(id, known + text.slice(overlap.length));
  }
}

describe('Journal: killed process', () => {
  it('keeps all records that were readable or reported as flushed, complete and in order', {
    timeout: 180_000,
  }, async () => {
    const directory = await temporaryDirectory();
    const known = new KnownStreams();
    const flushedEnds = new Map<string, number>();
    for (let life = 0; life < 8; life++) {
      let output = '';
      const child = testProcess({
        name: 'journal',
        command: process.execPath,
        args: [
          '--import',
          './test/support/typescript-loader.mjs',
          'test/support/journal-process.ts',
          directory,
          `${life}`,
        ],
        onStdout: (chunk) => {
          output += chunk.toString();
        },
      });
      const reads = 3 + Math.floor(Math.random() * 60);
      await expect
        .poll(() => output.split('\n').length, { timeout: 60_000, interval: 5, message: child.stderr })
        .toBeGreaterThan(reads);
      await child.kill();
      for (const line of output.split('\n').slice(0, -1)) {
        const printed = JSON.parse(line) as PrintedRead | PrintedFlush;
        if ('flushed' in printed) flushedEnds.set(printed.origin, printed.flushed);
        else known.read(printed.id, printed.start, printed.text);
      }

      const { journal, sink, close } = await openJournal(directory);
      expect(sink.streams.size).toBe(3);
      for (const { origin, readBytes } of journal.status())
        expect(readBytes, 'the flushed end').toBeGreaterThanOrEqual(flushedEnds.get(origin) ?? 0);
      for (const [id, stream] of sink.streams) {
        const batches = await readAll(stream);
        for (const { start, data } of batches) known.read(id, start, Buffer.from(data).toString());
        const last = batches.at(-1);
        const end = last === undefined ? stream.accepted : last.start + last.data.length;
        expect(end, 'the end of what had been read').toBe(known.texts.get(id)?.length);
      }
      await close();
    }
    for (const text of known.texts.values()) {
      let [life, number] = [-1, 0];
      for (const record of text.split('\n').slice(0, -1)) {
        const [, recordLife, recordNumber] = /^(\d+) (\d+) \.*$/.exec(record) ?? [];
        if (Number(recordLife) !== life) [life, number] = [Number(recordLife), 0];
        expect(recordNumber).toBe(`${number++}`);
      }
      expect(life).toBe(7);
    }
  });
});
