import type { LinearPattern } from '../../runtime/linear-pattern.ts';
import type { Cut, CutOptions, Cutter } from './cutter.ts';
import { RecordColumns } from './record-columns.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * A record is one or more lines. Only the line behind a record shows that it has ended; so the last one waits until
 * the caller says that no more is coming.
 *
 * A record that is too long is cut behind its last line that fits, so that the same cuts come out whether the line
 * behind the cut was there already or not.
 *
 * @param begins whether a line (without its ending) begins a record
 */
function multilineCutter(begins: (line: string) => boolean): Cutter {
  return {
    cut(bytes: Buffer, { last, maxRecordBytes, maxRecords }: CutOptions): Cut {
      const records = new RecordColumns(maxRecords);
      // The first line of `bytes` begins a record whatever it looks like: the caller begins at one.
      let lineStart = bytes.indexOf(LF) + 1;
      while (lineStart > 0 && lineStart < bytes.length && !records.full) {
        const lineEnd = bytes.indexOf(LF, lineStart) + 1;
        // A line that has not ended cannot be judged yet, unless it never will end.
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
export function multilineByStart(expression: LinearPattern): Cutter {
  return multilineCutter((line) => expression.test(line));
}

/** A line that matches belongs to the record before it. */
export function multilineByContinuation(expression: LinearPattern): Cutter {
  return multilineCutter((line) => !expression.test(line));
}

/** Cuts pieces off the record that goes on to `end`, until what is left of it is short enough. */
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
