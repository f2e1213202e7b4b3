import { isAscii } from 'node:buffer';
import type { Position } from '../../records/position.ts';
import type { RecordText } from '../record-text.ts';
import { iconv } from './iconv.ts';
import { bytesToUnit, isLittleEndian, type UnitBytes, unitBytesOf } from './unit-bytes.ts';

/** An encoding other than UTF-8. */
export interface TextEncoding {
  readonly name: string;
  readonly unitBytes: UnitBytes;
  /**
   * The text of a record with its line ending, without a byte order mark at its beginning. `position`: the position of
   * the bytes in the file, where code units begin at multiples of their size.
   */
  decode(bytes: Uint8Array, position: Position): RecordText;
  /** The bytes are the same in UTF-8. */
  isUtf8(bytes: Uint8Array): boolean;
}

/** The encoding of this name; undefined for UTF-8, and for a name that a newer collector sends. */
export function textEncoding(name: string | undefined): TextEncoding | undefined {
  if (name === undefined) return undefined;
  const known = encodings.get(name) ?? createEncoding(name);
  if (known !== undefined) encodings.set(name, known);
  return known;
}

/** The library knows fewer than 500 names. Other ones are not kept. */
const encodings = new Map<string, TextEncoding>();

function createEncoding(name: string): TextEncoding | undefined {
  const unitBytes = unitBytesOf(name);
  if (unitBytes !== 1) return wideEncoding(name, unitBytes);
  return iconv().encodingExists(name) ? byteEncoding(name) : undefined;
}

/** The characters of ASCII. */
const ASCII = Buffer.from(Array.from({ length: 0x80 }, (_, index) => index));

function byteEncoding(name: string): TextEncoding {
  const hasAscii = iconv().decode(ASCII, name) === ASCII.toString('latin1');
  return {
    name,
    unitBytes: 1,
    isUtf8: (bytes) => hasAscii && isAscii(bytes),
    decode: (bytes) => {
      const text = iconv().decode(bytes, name, { stripBOM: false });
      return { text: withoutMark(text), valid: !text.includes(REPLACEMENT) };
    },
  };
}

const REPLACEMENT = '\ufffd';
const BYTE_ORDER_MARK = '\ufeff';

function withoutMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function wideEncoding(name: string, unitBytes: UnitBytes): TextEncoding {
  const decodeUnits = unitsDecoder(name, unitBytes);
  return {
    name,
    unitBytes,
    isUtf8: () => false,
    decode: (bytes, position) => {
      const start = Math.min(bytes.length, bytesToUnit(position, unitBytes));
      const end = bytes.length - ((bytes.length - start) % unitBytes);
      const { text, valid } = decodeUnits(bytes.subarray(start, end));
      const isWhole = start === 0 && end === bytes.length;
      if (isWhole) return { text: withoutMark(text), valid };
      const first = start === 0 ? '' : REPLACEMENT;
      return { text: `${first}${text}${end === bytes.length ? '' : REPLACEMENT}`, valid: false };
    },
  };
}

function unitsDecoder(name: string, unitBytes: UnitBytes): (bytes: Uint8Array) => RecordText {
  const isLittle = isLittleEndian(name);
  if (unitBytes === 2) return (bytes) => wellFormed(decodeUtf16(bytes, isLittle));
  const exact = isLittle ? 'utf-32le' : 'utf-32be';
  return (bytes) => {
    const { text, valid } = wellFormed(iconv().decode(bytes, exact, { stripBOM: false }));
    return { text, valid: valid && !text.includes(REPLACEMENT) };
  };
}

function decodeUtf16(bytes: Uint8Array, isLittle: boolean): string {
  if (!isLittle) return Buffer.from(bytes).swap16().toString('utf16le');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf16le');
}

/** Replaces half surrogate pairs. */
function wellFormed(text: string): RecordText {
  const valid = text.isWellFormed();
  return { text: valid ? text : text.toWellFormed(), valid };
}
