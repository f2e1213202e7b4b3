import { Buffer, isAscii, isUtf8 } from 'node:buffer';
import { ByteCursor, NOTHING } from '../byte-cursor.ts';
import { readTimestamp } from '../time/timestamp.ts';
import type { WallTime } from '../time/wall-time.ts';
import { windows1252 } from '../windows-1252.ts';
import type { StructuredData } from './structured-data-value.ts';

/**
 * A message while it is read: a place in its bytes, their text, and the parts of its header that were found. It is one
 * object, and its constructor sets the fields: more objects and initializers of fields take 5 % of the time of a message.
 *
 * A record that is not UTF-8 is read as Windows-1252, the usual encoding of old devices; only an incomplete last
 * character, as a cut message has it, does not count.
 */
export class MessageReader extends ByteCursor {
  declare readonly bytes: Buffer;
  /** Some bytes are not UTF-8. */
  declare readonly isInvalid: boolean;
  declare readonly isGuessed: boolean;
  /** NOTHING: none. */
  declare priority: number;
  declare time: WallTime | undefined;
  /** Where the text of the time begins and ends. */
  declare timeStart: number;
  declare timeEnd: number;
  declare host: string | undefined;
  declare app: string | undefined;
  declare processId: number | string | undefined;
  declare messageId: string | undefined;
  declare structuredData: StructuredData | undefined;
  /** The severity in a Cisco message, for records without a priority. */
  declare severity: number | undefined;
  /** The number that Cisco devices give to each message. */
  declare sequence: number | undefined;
  /** The part of the header that could not be read. */
  declare problem: string | undefined;
  /** The record as one text, if each byte is one character. */
  declare readonly ascii: string | undefined;

  /** `end`: the message ends there; the encoding is that of all bytes. */
  constructor(record: Uint8Array, at: number, end: number) {
    const bytes = Buffer.isBuffer(record)
      ? record
      : Buffer.from(record.buffer, record.byteOffset, record.length);
    super(bytes, at, end);
    const isPlain = isAscii(bytes);
    this.ascii = isPlain ? bytes.toString('latin1') : undefined;
    this.isInvalid = !isPlain && !isUtf8(bytes);
    this.isGuessed = this.isInvalid && !isUtf8(withoutLastCharacter(bytes));
    this.priority = NOTHING;
    this.time = undefined;
    this.timeStart = 0;
    this.timeEnd = 0;
    this.host = undefined;
    this.app = undefined;
    this.processId = undefined;
    this.messageId = undefined;
    this.structuredData = undefined;
    this.severity = undefined;
    this.sequence = undefined;
    this.problem = undefined;
  }

  text(start: number, end: number): string {
    if (this.ascii !== undefined) return this.ascii.slice(start, end);
    if (this.isGuessed) return windows1252(this.bytes.toString('latin1', start, end));
    return this.bytes.toString('utf8', start, end);
  }

  /** Reads the time at the current place; false: there is none. */
  readTime(): boolean {
    this.timeStart = this.at;
    this.time = readTimestamp(this);
    this.timeEnd = this.at;
    return this.time !== undefined;
  }
}

/** Without the last byte above 0x7f with all that follows it, if the bytes are the beginning of a character. */
function withoutLastCharacter(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && isLineEnd(bytes[end - 1])) end--;
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = bytes[end - back] ?? 0;
    if (byte >= 0xc0) return bytes.subarray(0, end - back);
    if (byte < 0x80) break;
  }
  return bytes;
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === 0x0a || byte === 0x0d;
}
