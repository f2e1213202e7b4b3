import type { LineTest } from '../../patterns/compile-pattern.ts';
import type { Cut, CutOptions, Cutter } from './cutter.ts';
import { RecordColumns } from './record-columns.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * A record is one or more lines. Only the next line shows that a record has ended, so the last record waits until the
 * caller declares that no more bytes follow.
 *
 * A record that is too long is cut after the last line that fits, so that the cuts do not depend on whether the next
 * line has arrived.
 *
 * @param begins whether a line (without its ending) begins a record
 */
function multilineCutter(begins: (line: string) => boolean): Cutter {
  return {
    cut(bytes: Buffer, { last, maxRecordBytes, maxRecords }: CutOptions): Cut {
      const records = new RecordColumns(maxRecords);
      // The first line of `bytes` always begins a record.
      let lineStart = bytes.indexOf(LF) + 1;
      while (lineStart > 0 && lineStart < bytes.length && !records.full) {
        const lineEnd = bytes.indexOf(LF, lineStart) + 1;
        // A line without an end cannot be matched yet, unless no more bytes follow.
        if (lineEnd === 0 && !last) break;
        if (begins(textOfLine(bytes, lineStart, lineEnd === 0 ? bytes.length : lineEnd))) {
          cutLong(bytes, records, lineStart, maxRecordBytes);
          if (!records.full) records.add(lineStart);
        }
        lineStart = lineEnd;
      }
      cutLong(bytes, records, bytes.length, maxRecordBytes);
      if (last || bytes.length - records.length === maxRecordBytes) addRest(bytes, records);
      return records.done();
    },
  };
}

/** A line that matches begins a record. */
export function multilineByStart(expression: LineTest): Cutter {
  return multilineCutter((line) => expression.test(line));
}

/** A line that matches belongs to the record before it. */
export function multilineByContinuation(expression: LineTest): Cutter {
  return multilineCutter((line) => !expression.test(line));
}

/** Cuts pieces from the record that continues to `end`, until the rest is short enough. */
function cutLong(bytes: Buffer, records: RecordColumns, end: number, maxRecordBytes: number): void {
  // A line that has not ended is at least one byte longer than it is now.
  const knownEnd = bytes[end - 1] === LF ? end : end + 1;
  while (knownEnd - records.length > maxRecordBytes && !records.full) {
    const limit = records.length + maxRecordBytes;
    const lastLineEnd = bytes.lastIndexOf(LF, limit - 1) + 1;
    records.addMarked(lastLineEnd > records.length ? lastLineEnd : limit, 'cut');
  }
}

function addRest(bytes: Buffer, records: RecordColumns): void {
  if (records.full || records.length === bytes.length) return;
  if (bytes.at(-1) === LF) records.add(bytes.length);
  else records.addMarked(bytes.length, 'unterminated');
}

function textOfLine(bytes: Buffer, start: number, end: number): string {
  let textEnd = end;
  if (textEnd > start && bytes[textEnd - 1] === LF) textEnd--;
  if (textEnd > start && bytes[textEnd - 1] === CR) textEnd--;
  return bytes.toString('utf8', start, textEnd);
}
