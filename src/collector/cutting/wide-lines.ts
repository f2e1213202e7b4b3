import { textEncoding } from '../../formats/encodings/text-encoding.ts';
import {
  bytesToUnit,
  isLittleEndian,
  type UnitBytes,
  unitBytesOf,
} from '../../formats/encodings/unit-bytes.ts';
import type { Position } from '../../records/position.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Lines of UTF-16 and UTF-32. A line feed is a code unit, and units begin at multiples of their size in the file, not in
 * the record: 0x0A and 0x00 in UTF-16LE may also be the halves of two neighbours.
 *
 *     U+0A41 U+0042   41 0A | 42 00        no line feed
 *     U+0041 LF       41 00 | 0A 00        a line feed
 */
export class WideLines {
  readonly #encoding: string;
  readonly #unitBytes: UnitBytes;
  readonly #isLittle: boolean;
  readonly #lineFeed: Buffer;

  constructor(encoding: string) {
    this.#encoding = encoding;
    this.#unitBytes = unitBytesOf(encoding);
    this.#isLittle = isLittleEndian(encoding);
    this.#lineFeed = this.#unit(LF);
  }

  /** The offset after the first line feed at or after `from`; 0 if there is none. `position`: that of the bytes. */
  endAfter(bytes: Buffer, from: number, position: Position): number {
    for (let at = from; ; at++) {
      at = bytes.indexOf(this.#lineFeed, at);
      if (at < 0) return 0;
      if ((position + at) % this.#unitBytes === 0) return at + this.#unitBytes;
    }
  }

  /** The offset after the last line feed that ends at or before `end`; 0 if there is none. */
  lastEndBefore(bytes: Buffer, end: number, position: Position): number {
    for (let at = end - this.#unitBytes; at >= 0; at--) {
      at = bytes.lastIndexOf(this.#lineFeed, at);
      if (at < 0) return 0;
      if ((position + at) % this.#unitBytes === 0) return at + this.#unitBytes;
    }
    return 0;
  }

  /**
   * The last place at or before `end` that is between two characters; `end` if that would be at or before `start`: a
   * record has at least one byte.
   */
  boundary(bytes: Buffer, { start, end, position }: RecordPlace): number {
    let at = end - ((position + end) % this.#unitBytes);
    if (at - 2 > start && this.#unitBytes === 2 && this.#isHighSurrogate(bytes, at - 2)) at -= 2;
    return at > start ? at : end;
  }

  /** The text of a line without its ending. */
  text(bytes: Buffer, { start, end, position }: RecordPlace): string {
    const text =
      textEncoding(this.#encoding)?.decode(bytes.subarray(start, end), position + start).text ?? '';
    if (text.charCodeAt(text.length - 1) !== LF) return text;
    return text.slice(0, text.charCodeAt(text.length - 2) === CR ? -2 : -1);
  }

  #isHighSurrogate(bytes: Buffer, at: number): boolean {
    return ((bytes[this.#isLittle ? at + 1 : at] ?? 0) & 0xfc) === 0xd8;
  }

  #unit(value: number): Buffer {
    const unit = Buffer.alloc(this.#unitBytes);
    unit[this.#isLittle ? 0 : this.#unitBytes - 1] = value;
    return unit;
  }
}

/** `start`, `end`: offsets of a record or a line in the bytes, which begin at `position` in the file. */
export interface RecordPlace {
  readonly start: number;
  readonly end: number;
  readonly position: Position;
}

/** Whether the bytes have a whole code unit. A part of one is not sent before it is known that its rest is missing. */
export function hasCodeUnit(encoding: string | undefined, position: Position, byteCount: number): boolean {
  const unitBytes = unitBytesOf(encoding);
  return byteCount - bytesToUnit(position, unitBytes) >= unitBytes;
}
