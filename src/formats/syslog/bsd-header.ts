import {
  BLANK,
  CLOSE_BRACKET,
  COLON,
  HYPHEN,
  isDigit,
  NOTHING,
  OPEN_BRACKET,
  PERCENT,
} from '../byte-cursor.ts';
import { readMnemonic } from './cisco-header.ts';
import type { MessageReader } from './message-reader.ts';
import { processIdAt } from './process-id.ts';
import { readRest } from './rfc5424.ts';

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
export function readHostAndTag(message: MessageReader): void {
  message.skipBlanks();
  if (readForwardedHost(message)) {
    readTag(message);
    return;
  }
  if (!message.startsWith(REPEATED)) readHost(message);
  if (message.startsWith(REPEATED)) return;
  readTag(message);
}

const REPEATED = 'last message repeated ';
const FORWARDED = 'Message forwarded from ';
const MAX_HOST_BYTES = 255;
const MAX_TAG_BYTES = 128;

function readForwardedHost(message: MessageReader): boolean {
  if (!message.startsWith(FORWARDED)) return false;
  const start = message.at + FORWARDED.length;
  let end = start;
  while (end < message.end && message.bytes[end] !== BLANK) end++;
  if (message.bytes[end - 1] !== COLON || end - 1 === start) return false;
  message.host = message.text(start, end - 1);
  message.at = end;
  message.skip(BLANK);
  return true;
}

function readHost(message: MessageReader): void {
  const start = message.at;
  const end = message.endOfToken();
  if (end === start || end - start > MAX_HOST_BYTES || end === message.end) return;
  const isBracketed = message.bytes[start] === OPEN_BRACKET && message.bytes[end - 1] === CLOSE_BRACKET;
  if (isBracketed && isAddress(message, start + 1, end - 1)) message.host = message.text(start + 1, end - 1);
  else if (isHost(message, start, end)) message.host = message.text(start, end);
  // UniFi: `U7PG2,788a2056b182,v4.0.66: hostapd: text`.
  else if (isDeviceName(message, start, end)) message.host = message.text(start, end - 1);
  else return;
  message.at = end;
  message.skipBlanks();
}

function isHost(message: MessageReader, start: number, end: number): boolean {
  if (message.bytes[end - 1] === COLON) return false;
  for (let at = start; at < end; at++) {
    const byte = message.bytes[at] ?? NOTHING;
    if (byte === OPEN_BRACKET || byte === PERCENT || byte < BLANK) return false;
  }
  return true;
}

function isAddress(message: MessageReader, start: number, end: number): boolean {
  let colons = 0;
  for (let at = start; at < end; at++) {
    const byte = message.bytes[at] ?? NOTHING;
    if (byte === COLON) colons++;
    else if (!isDigit(byte) && !isHexLetter(byte) && byte !== DOT) return false;
  }
  return colons >= 2;
}

/** A token with two commas or more before its colon. */
function isDeviceName(message: MessageReader, start: number, end: number): boolean {
  let commas = 0;
  for (let at = start; at < end; at++) if (message.bytes[at] === COMMA) commas++;
  return commas >= 2 && message.bytes[end - 1] === COLON;
}

/**
 * `su[1]: `, `su: `, `postfix/smtpd[7]: `; the tag ends at the first of `[`, `:` and blank. Exactly one blank
 * after it is removed. Without a tag, the cursor is at the text.
 */
export function readTag(message: MessageReader): void {
  if (message.peek() === COLON && message.peek(1) === BLANK) message.at += 2;
  if (readMnemonic(message)) return;
  const start = message.at;
  const end = endOfTag(message);
  if (end === start || end - start > MAX_TAG_BYTES) return;
  const after = message.bytes[end] ?? NOTHING;
  if (after === OPEN_BRACKET) readProcess(message, { start, end });
  else if (after === COLON && isTagEnd(message, end)) {
    message.app = message.text(start, end);
    skipTo(message, end + 1);
  } else if (after === BLANK) readFields(message, { start, end });
}

interface Tag {
  readonly start: number;
  readonly end: number;
}

function endOfTag(message: MessageReader): number {
  let at = message.at;
  while (at < message.end) {
    const byte = message.bytes[at] ?? NOTHING;
    if (byte === OPEN_BRACKET || byte === COLON || byte <= BLANK) break;
    at++;
  }
  return at;
}

/** The colon of a tag is followed by a blank or nothing; `http://` and `CEF: 0` are texts. */
function isTagEnd(message: MessageReader, colon: number): boolean {
  const next = colon + 1 < message.end ? (message.bytes[colon + 1] ?? NOTHING) : NOTHING;
  const isEnd = next === NOTHING || next <= BLANK;
  return isEnd && !message.startsWith('CEF:') && !message.startsWith('LEEF:') && !message.startsWith('@cee:');
}

/** The text begins after at most one blank. */
function skipTo(message: MessageReader, at: number): void {
  message.at = at;
  message.skip(BLANK);
}

/** `[123]:` or `[123]` before a blank; other brackets belong to the text. */
function readProcess(message: MessageReader, tag: Tag): void {
  let close = tag.end + 1;
  while (
    close < message.end &&
    (message.bytes[close] ?? NOTHING) > BLANK &&
    message.bytes[close] !== CLOSE_BRACKET
  )
    close++;
  const hasColon = message.bytes[close + 1] === COLON && close + 1 < message.end;
  const isClosed = close < message.end && message.bytes[close] === CLOSE_BRACKET;
  const isFollowed = hasColon || close + 1 >= message.end || message.bytes[close + 1] === BLANK;
  if (!isClosed || !isFollowed) return;
  if (close > tag.end + 1) message.processId = processIdAt(message, tag.end + 1, close);
  message.app = message.text(tag.start, tag.end);
  skipTo(message, hasColon ? close + 2 : close + 1);
}

/** `FIREWALL-PKTLOG - - - text`: application, process id, message id, structured data. */
function readFields(message: MessageReader, { start, end }: Tag): void {
  if (!hasFields(message, end + 1)) return;
  message.app = message.text(start, end);
  message.at = end + 1;
  readRest(message);
}

/** A process id or `-`, a token, and `-` or an element, each after one blank. */
function hasFields(message: MessageReader, start: number): boolean {
  const processEnd = endOfField(message, start);
  const isProcess = message.bytes[start] === HYPHEN || isNumber(message, start, processEnd);
  if (!isProcess || processEnd === start) return false;
  const messageEnd = endOfField(message, processEnd + 1);
  if (messageEnd <= processEnd + 1 || messageEnd >= message.end) return false;
  const data = message.bytes[messageEnd + 1];
  const isNil = data === HYPHEN && endOfField(message, messageEnd + 1) === messageEnd + 2;
  return isNil || data === OPEN_BRACKET;
}

function endOfField(message: MessageReader, start: number): number {
  let at = start;
  while (at < message.end && message.bytes[at] !== BLANK) at++;
  return at;
}

function isNumber(message: MessageReader, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isDigit(message.bytes[at] ?? NOTHING)) return false;
  return true;
}

function isHexLetter(byte: number): boolean {
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66;
}

const COMMA = 0x2c;
const DOT = 0x2e;
