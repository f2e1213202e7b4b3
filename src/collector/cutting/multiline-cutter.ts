import { textEncoding } from '../../formats/encodings/text-encoding.ts';
import { unitBytesOf } from '../../formats/encodings/unit-bytes.ts';
import type { LineTest } from '../../patterns/compile-pattern.ts';
import type { Cut, CutOptions, Cutter } from './cutter.ts';
import { RecordColumns } from './record-columns.ts';
import { type RecordPlace, WideLines } from './wide-lines.ts';

const LF = 0x0a;
const CR = 0x0d;

/** How the ends of lines and their texts are found in an encoding. Offsets after an end; 0: there is none. */
interface LineReader {
  endAfter(bytes: Buffer, from: number, position: number): number;
  lastEndBefore(bytes: Buffer, end: number, position: number): number;
  /** A place at or before `end` where a record can be cut. */
  boundary(bytes: Buffer, place: RecordPlace): number;
  text(bytes: Buffer, place: RecordPlace): string;
}

/**
 * A record is one or more lines. Only the next line shows that a record has ended, so the last record waits until the
 * caller declares that no more bytes follow.
 *
 * A record that is too long is cut after the last line that fits, so that the cuts do not depend on whether the next
 * line has arrived.
 *
 * @param begins whether a line (without its ending) begins a record
 */
function multilineCutter(begins: (line: string) => boolean, encoding: string | undefined): Cutter {
  const lines = lineReader(encoding);
  return {
    cut(bytes: Buffer, { last, maxRecordBytes, maxRecords, position = 0 }: CutOptions): Cut {
      const records = new LongRecords(bytes, { lines, position, maxRecordBytes, maxRecords });
      // The first line of `bytes` always begins a record.
      let lineStart = lines.endAfter(bytes, 0, position);
      while (lineStart > 0 && lineStart < bytes.length && !records.full) {
        const lineEnd = lines.endAfter(bytes, lineStart, position);
        // A line without an end cannot be matched yet, unless no more bytes follow.
        if (lineEnd === 0 && !last) break;
        const end = lineEnd === 0 ? bytes.length : lineEnd;
        if (begins(lines.text(bytes, { start: lineStart, end, position }))) {
          records.cutLong(lineStart);
          if (!records.full) records.add(lineStart);
        }
        lineStart = lineEnd;
      }
      records.cutLong(bytes.length);
      if (last || bytes.length - records.length === maxRecordBytes) records.addRest();
      return records.done();
    },
  };
}

/** A line that matches begins a record. `encoding`: undefined is UTF-8. */
export function multilineByStart(expression: LineTest, encoding?: string): Cutter {
  return multilineCutter((line) => expression.test(line), encoding);
}

/** A line that matches belongs to the record before it. */
export function multilineByContinuation(expression: LineTest, encoding?: string): Cutter {
  return multilineCutter((line) => !expression.test(line), encoding);
}

interface LongRecordsOptions {
  readonly lines: LineReader;
  readonly position: number;
  readonly maxRecordBytes: number;
  readonly maxRecords: number;
}

class LongRecords extends RecordColumns {
  readonly #bytes: Buffer;
  readonly #options: LongRecordsOptions;

  constructor(bytes: Buffer, options: LongRecordsOptions) {
    super(options.maxRecords);
    this.#bytes = bytes;
    this.#options = options;
  }

  /** Cuts pieces from the record that continues to `end`, until the rest is short enough. */
  cutLong(end: number): void {
    const { lines, position, maxRecordBytes } = this.#options;
    // A line that has not ended is at least one byte longer than it is now.
    const knownEnd = this.#endsLine(end) ? end : end + 1;
    while (knownEnd - this.length > maxRecordBytes && !this.full) {
      const limit = this.length + maxRecordBytes;
      const lastLineEnd = lines.lastEndBefore(this.#bytes, limit, position);
      this.addMarked(lastLineEnd > this.length ? lastLineEnd : this.#boundary(limit), 'cut');
    }
  }

  addRest(): void {
    const { length } = this.#bytes;
    if (this.full || this.length === length) return;
    if (this.#endsLine(length)) this.add(length);
    else this.addMarked(this.#boundary(length), 'unterminated');
  }

  #endsLine(end: number): boolean {
    const { lines, position } = this.#options;
    return end > 0 && lines.lastEndBefore(this.#bytes, end, position) === end;
  }

  #boundary(end: number): number {
    const { lines, position } = this.#options;
    return lines.boundary(this.#bytes, { start: this.length, end, position });
  }
}

function lineReader(encoding: string | undefined): LineReader {
  if (encoding !== undefined && unitBytesOf(encoding) > 1) return new WideLines(encoding);
  const decoder = textEncoding(encoding);
  if (decoder === undefined) return UTF8_LINES;
  return {
    ...UTF8_LINES,
    text: (bytes, { start, end }) =>
      decoder.decode(bytes.subarray(start, textEnd(bytes, start, end)), 0).text,
  };
}

const UTF8_LINES: LineReader = {
  endAfter: (bytes, from) => bytes.indexOf(LF, from) + 1,
  lastEndBefore: (bytes, end) => bytes.lastIndexOf(LF, end - 1) + 1,
  boundary: (_bytes, { end }) => end,
  text: (bytes, { start, end }) => bytes.toString('utf8', start, textEnd(bytes, start, end)),
};

function textEnd(bytes: Buffer, start: number, end: number): number {
  let textEnd = end;
  if (textEnd > start && bytes[textEnd - 1] === LF) textEnd--;
  if (textEnd > start && bytes[textEnd - 1] === CR) textEnd--;
  return textEnd;
}
