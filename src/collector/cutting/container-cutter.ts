import type { ContainerLineSyntax, LineShape } from '../../formats/containers/container-line-syntax.ts';
import { textEncoding } from '../../formats/encodings/text-encoding.ts';
import type { LineTest } from '../../patterns/compile-pattern.ts';
import type { RecordMark } from '../../records/record-batch.ts';
import type { Cut, CutOptions, Cutter } from './cutter.ts';
import { RecordColumns } from './record-columns.ts';

const LF = 0x0a;
const CR = 0x0d;
const EMPTY = Buffer.alloc(0);

/**
 * Cuts the log of a container. A record is one message of the program: a full line, or a partial line with the
 * lines of the same stream that continue it. With `multiline`, which is matched with the messages, it is several.
 *
 *     ... stdout P one      \ one record
 *     ... stdout F  message /
 *     ... stderr F another    one record
 *
 * Records are ranges of the file. So a line of the other stream between two parts ends the record, which is then
 * marked `cut`; the rest of the message is a record of its own. No line is joined to a line of the other stream.
 * A record that is too long is cut before the line that does not fit.
 */
export function containerCutter(
  syntax: ContainerLineSyntax,
  multiline?: MultilineTests,
  encoding?: string,
): Cutter {
  return {
    cut(bytes: Buffer, options: CutOptions): Cut {
      const joined = new JoinedLines(bytes, { syntax, multiline, encoding, ...options });
      let lineStart = 0;
      while (lineStart < bytes.length && !joined.isFull) {
        const lineEnd = bytes.indexOf(LF, lineStart) + 1;
        if (lineEnd === 0 && !options.last) break;
        joined.add(lineStart, lineEnd === 0 ? bytes.length : lineEnd);
        lineStart = lineEnd === 0 ? bytes.length : lineEnd;
      }
      return joined.done(lineStart);
    },
  };
}

export type MultilineTests = { readonly start: LineTest } | { readonly continue: LineTest };

interface JoinOptions extends CutOptions {
  readonly syntax: ContainerLineSyntax;
  readonly multiline: MultilineTests | undefined;
  /** Of the messages; undefined is UTF-8. */
  readonly encoding: string | undefined;
}

/** The records of one call, and the lines of the record that has not ended yet. */
class JoinedLines {
  readonly #bytes: Buffer;
  readonly #options: JoinOptions;
  readonly #records: RecordColumns;
  /** The last line of the record that has not ended; undefined: it has no line yet. */
  #before: LineShape | undefined;

  constructor(bytes: Buffer, options: JoinOptions) {
    this.#bytes = bytes;
    this.#options = options;
    this.#records = new RecordColumns(options.maxRecords);
  }

  get isFull(): boolean {
    return this.#records.full;
  }

  /** The next line. */
  add(start: number, end: number): void {
    this.#cutLong(start, end);
    if (this.#before !== undefined && !this.#continues(this.#before, start, end)) {
      this.#end(start, this.#before.isPartial ? 'cut' : undefined);
    }
    const from = this.#before === undefined ? this.#records.length : start;
    if (this.isFull || from === end) return;
    const shape = this.#options.syntax.shapeOf(this.#bytes, from, this.#textEnd(from, end));
    if (this.#bytes[end - 1] !== LF) this.#end(end, 'unterminated');
    else if (shape === undefined || !(shape.isPartial || this.#options.multiline)) this.#end(end);
    else this.#before = shape;
  }

  /** `lineStart`: where the line begins whose end has not arrived. */
  done(lineStart: number): Cut {
    const { length } = this.#bytes;
    if (lineStart < length) this.#cutLong(lineStart, length);
    const isLimit = length - this.#records.length === this.#options.maxRecordBytes;
    if (this.#before !== undefined && !this.isFull && (this.#options.last || isLimit)) {
      const mark = this.#options.last ? 'unterminated' : 'cut';
      this.#end(length, this.#before.isPartial ? mark : undefined);
    }
    return this.#records.done();
  }

  #end(end: number, mark?: RecordMark): void {
    this.#before = undefined;
    if (mark === undefined) this.#records.add(end);
    else this.#records.addMarked(end, mark);
  }

  /** Cuts before the line that does not fit, and the line itself where it is too long. */
  #cutLong(start: number, end: number): void {
    const { maxRecordBytes } = this.#options;
    // A line that has not ended is at least one byte longer than it is now.
    const knownEnd = this.#bytes[end - 1] === LF ? end : end + 1;
    while (knownEnd - this.#records.length > maxRecordBytes && !this.isFull) {
      const isFirst = this.#before === undefined;
      this.#end(isFirst ? this.#records.length + maxRecordBytes : start, 'cut');
    }
  }

  #continues(before: LineShape, start: number, end: number): boolean {
    const { syntax, multiline, encoding } = this.#options;
    const textEnd = this.#textEnd(start, end);
    const shape = syntax.shapeOf(this.#bytes, start, textEnd);
    if (shape?.iostream !== before.iostream) return false;
    if (before.isPartial || multiline === undefined) return before.isPartial;
    const message = syntax.contentOf(this.#bytes, start, textEnd)?.message ?? EMPTY;
    const text = textEncoding(encoding)?.decode(message, 0).text ?? message.toString();
    return 'start' in multiline ? !multiline.start.test(text) : multiline.continue.test(text);
  }

  #textEnd(start: number, end: number): number {
    let textEnd = end;
    if (textEnd > start && this.#bytes[textEnd - 1] === LF) textEnd--;
    if (textEnd > start && this.#bytes[textEnd - 1] === CR) textEnd--;
    return textEnd;
  }
}
