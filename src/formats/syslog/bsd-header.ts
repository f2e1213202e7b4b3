import {
  BLANK,
  type ByteCursor,
  CLOSE_BRACKET,
  COLON,
  HYPHEN,
  isDigit,
  NOTHING,
  OPEN_BRACKET,
  PERCENT,
} from '../byte-cursor.ts';
import { readMnemonic } from './cisco-header.ts';
import type { RecordDecoder } from './record-decoder.ts';
import { readRest } from './rfc5424.ts';
import type { SyslogHeader } from './syslog-header.ts';

/**
 * Reads host and tag after the date of an RFC 3164 message, in the forms that devices really send:
 *
 *     host su[1]: text, host su: text, su[1]: text, host text
 *     host : %ASA-6-302013: text, : %ASA-6-302013: text
 *     Message forwarded from host: su[1]: text       AIX
 *     host FIREWALL-PKTLOG - - - text                ESXi and NSX: the fields of RFC 5424
 *
 * The first token is a host unless it ends with a colon or contains `[` or `%`.
 */
export function readHostAndTag(cursor: ByteCursor, decoder: RecordDecoder, header: SyslogHeader): void {
  cursor.skipBlanks();
  if (readForwardedHost(cursor, decoder, header)) {
    readTag(cursor, decoder, header);
    return;
  }
  if (!cursor.startsWith(REPEATED)) readHost(cursor, decoder, header);
  if (cursor.startsWith(REPEATED)) return;
  readTag(cursor, decoder, header);
}

const REPEATED = 'last message repeated ';
const FORWARDED = 'Message forwarded from ';
const MAX_HOST_BYTES = 255;
const MAX_TAG_BYTES = 128;

function readForwardedHost(cursor: ByteCursor, decoder: RecordDecoder, header: SyslogHeader): boolean {
  if (!cursor.startsWith(FORWARDED)) return false;
  const start = cursor.at + FORWARDED.length;
  let end = start;
  while (end < cursor.end && cursor.bytes[end] !== BLANK) end++;
  if (cursor.bytes[end - 1] !== COLON || end - 1 === start) return false;
  header.host = decoder.text(start, end - 1);
  cursor.at = end;
  cursor.skip(BLANK);
  return true;
}

function readHost(cursor: ByteCursor, decoder: RecordDecoder, header: SyslogHeader): void {
  const start = cursor.at;
  const end = cursor.endOfToken();
  if (end === start || end - start > MAX_HOST_BYTES || end === cursor.end) return;
  const isBracketed = cursor.bytes[start] === OPEN_BRACKET && cursor.bytes[end - 1] === CLOSE_BRACKET;
  if (isBracketed && isAddress(cursor, start + 1, end - 1)) header.host = decoder.text(start + 1, end - 1);
  else if (isHost(cursor, start, end)) header.host = decoder.text(start, end);
  // UniFi: `U7PG2,788a2056b182,v4.0.66: hostapd: text`.
  else if (isDeviceName(cursor, start, end)) header.host = decoder.text(start, end - 1);
  else return;
  cursor.at = end;
  cursor.skipBlanks();
}

function isHost(cursor: ByteCursor, start: number, end: number): boolean {
  if (cursor.bytes[end - 1] === COLON) return false;
  for (let at = start; at < end; at++) {
    const byte = cursor.bytes[at] ?? NOTHING;
    if (byte === OPEN_BRACKET || byte === PERCENT || byte < BLANK) return false;
  }
  return true;
}

function isAddress(cursor: ByteCursor, start: number, end: number): boolean {
  let colons = 0;
  for (let at = start; at < end; at++) {
    const byte = cursor.bytes[at] ?? NOTHING;
    if (byte === COLON) colons++;
    else if (!isDigit(byte) && !isHexLetter(byte) && byte !== DOT) return false;
  }
  return colons >= 2;
}

/** A token with two commas or more before its colon. */
function isDeviceName(cursor: ByteCursor, start: number, end: number): boolean {
  let commas = 0;
  for (let at = start; at < end; at++) if (cursor.bytes[at] === COMMA) commas++;
  return commas >= 2 && cursor.bytes[end - 1] === COLON;
}

/**
 * `su[1]: `, `su: `, `postfix/smtpd[7]: `; the tag ends at the first of `[`, `:` and blank. Exactly one blank
 * after it is removed. Without a tag, the cursor is at the text.
 */
export function readTag(cursor: ByteCursor, decoder: RecordDecoder, header: SyslogHeader): void {
  if (cursor.peek() === COLON && cursor.peek(1) === BLANK) cursor.at += 2;
  if (readMnemonic(cursor, decoder, header)) return;
  const start = cursor.at;
  const end = endOfTag(cursor);
  if (end === start || end - start > MAX_TAG_BYTES) return;
  const after = cursor.bytes[end] ?? NOTHING;
  if (after === OPEN_BRACKET) readProcess(cursor, decoder, { header, start, end });
  else if (after === COLON && isTagEnd(cursor, end)) {
    header.app = decoder.text(start, end);
    skipTo(cursor, end + 1);
  } else if (after === BLANK) readFields(cursor, decoder, { header, start, end });
}

interface Tag {
  readonly header: SyslogHeader;
  readonly start: number;
  readonly end: number;
}

function endOfTag(cursor: ByteCursor): number {
  let at = cursor.at;
  while (at < cursor.end) {
    const byte = cursor.bytes[at] ?? NOTHING;
    if (byte === OPEN_BRACKET || byte === COLON || byte <= BLANK) break;
    at++;
  }
  return at;
}

/** The colon of a tag is followed by a blank or nothing; `http://` and `CEF: 0` are texts. */
function isTagEnd(cursor: ByteCursor, colon: number): boolean {
  const next = colon + 1 < cursor.end ? (cursor.bytes[colon + 1] ?? NOTHING) : NOTHING;
  const isEnd = next === NOTHING || next <= BLANK;
  return isEnd && !cursor.startsWith('CEF:') && !cursor.startsWith('LEEF:') && !cursor.startsWith('@cee:');
}

/** The text begins after at most one blank. */
function skipTo(cursor: ByteCursor, at: number): void {
  cursor.at = at;
  cursor.skip(BLANK);
}

/** `[123]:` or `[123]` before a blank; other brackets belong to the text. */
function readProcess(cursor: ByteCursor, decoder: RecordDecoder, tag: Tag): void {
  let close = tag.end + 1;
  while (
    close < cursor.end &&
    (cursor.bytes[close] ?? NOTHING) > BLANK &&
    cursor.bytes[close] !== CLOSE_BRACKET
  )
    close++;
  const hasColon = cursor.bytes[close + 1] === COLON && close + 1 < cursor.end;
  const isClosed = close < cursor.end && cursor.bytes[close] === CLOSE_BRACKET;
  const isFollowed = hasColon || close + 1 >= cursor.end || cursor.bytes[close + 1] === BLANK;
  if (!isClosed || !isFollowed) return;
  if (close > tag.end + 1) tag.header.processId = decoder.text(tag.end + 1, close);
  tag.header.app = decoder.text(tag.start, tag.end);
  skipTo(cursor, hasColon ? close + 2 : close + 1);
}

/** `FIREWALL-PKTLOG - - - text`: application, process id, message id, structured data. */
function readFields(cursor: ByteCursor, decoder: RecordDecoder, { header, start, end }: Tag): void {
  if (!hasFields(cursor, end + 1)) return;
  header.app = decoder.text(start, end);
  cursor.at = end + 1;
  readRest(cursor, decoder, header);
}

/** A process id or `-`, a token, and `-` or an element, each after one blank. */
function hasFields(cursor: ByteCursor, start: number): boolean {
  const processEnd = endOfField(cursor, start);
  const isProcess = cursor.bytes[start] === HYPHEN || isNumber(cursor, start, processEnd);
  if (!isProcess || processEnd === start) return false;
  const messageEnd = endOfField(cursor, processEnd + 1);
  if (messageEnd <= processEnd + 1 || messageEnd >= cursor.end) return false;
  const data = cursor.bytes[messageEnd + 1];
  const isNil = data === HYPHEN && endOfField(cursor, messageEnd + 1) === messageEnd + 2;
  return isNil || data === OPEN_BRACKET;
}

function endOfField(cursor: ByteCursor, start: number): number {
  let at = start;
  while (at < cursor.end && cursor.bytes[at] !== BLANK) at++;
  return at;
}

function isNumber(cursor: ByteCursor, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isDigit(cursor.bytes[at] ?? NOTHING)) return false;
  return true;
}

function isHexLetter(byte: number): boolean {
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66;
}

const COMMA = 0x2c;
const DOT = 0x2e;
