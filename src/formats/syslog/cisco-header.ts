import { BLANK, COLON, HYPHEN, isDigit, NOTHING, OPEN_BRACKET, PERCENT, ZERO } from '../byte-cursor.ts';
import type { MessageReader } from './message-reader.ts';

/**
 * Reads the headers of Cisco's devices, which put a sequence number, a host or nothing before the date, each
 * with a colon:
 *
 *     123: host: 456: Oct 11 22:14:15.123 UTC: %SEC-6-IPACCESSLOGP: text     IOS
 *     : 2025 Jun 25 11:27:28 GMT: %AUTHPRIV-3-SYSTEM_MSG: text              NX-OS
 *     :Oct 11 22:14:15 UTC: %ASA-6-302013: text                            ASA (EMBLEM)
 *     %ASA-6-302013: text                                                   without a date
 *
 * False: another header; the cursor is then unchanged.
 */
export function readCiscoHeader(message: MessageReader): boolean {
  if (message.peek() === PERCENT) return readMnemonic(message);
  const start = message.at;
  const found = readSegments(message);
  if (found.count > 0 && readDated(message, found.hasSequence)) {
    if (found.host !== undefined) message.host = message.text(found.host[0], found.host[1]);
    message.sequence = found.sequence;
    return true;
  }
  message.at = start;
  return false;
}

/** After a date without a host: `: %ASA-6-302013: text`. The cursor is at the text afterwards. */
export function readMnemonic(message: MessageReader): boolean {
  if (message.peek() !== PERCENT) return false;
  const start = message.at + 1;
  const end = endOfMnemonic(message, start);
  const severity =
    end < message.end && message.bytes[end] === COLON ? severityIn(message.bytes, start, end) : NOTHING;
  if (severity === NOTHING) return false;
  message.messageId = message.text(start, end);
  message.severity = severity;
  return true;
}

interface Segments {
  readonly count: number;
  /** A number or nothing was before a colon: no other program writes that. */
  readonly hasSequence: boolean;
  readonly sequence: number | undefined;
  readonly host: readonly [start: number, end: number] | undefined;
}

const MAX_SEGMENTS = 4;

function readSegments(message: MessageReader): Segments {
  let [count, hasSequence] = [0, false];
  let sequence: number | undefined;
  let host: Segments['host'];
  while (count < MAX_SEGMENTS) {
    const start = message.at;
    const end = endOfSegment(message);
    if (end === undefined) break;
    const number = numberIn(message, start, end);
    if (end === start || number !== undefined) hasSequence = true;
    if (number !== undefined) sequence = number;
    else if (end > start) host = [start, end];
    message.at = end + 1;
    message.skipBlanks();
    count++;
  }
  return { count, hasSequence, sequence, host };
}

/** The colon after at most one token; undefined: the token is no segment. */
function endOfSegment(message: MessageReader): number | undefined {
  let at = message.at;
  while (at < message.end) {
    const byte = message.bytes[at] ?? NOTHING;
    // The colons of an IPv6 address are not followed by a blank.
    if (byte === COLON && (at === message.at || endsSegment(message, at + 1))) return at;
    if (byte <= BLANK || byte === OPEN_BRACKET || byte === PERCENT) return undefined;
    at++;
  }
  return undefined;
}

function endsSegment(message: MessageReader, at: number): boolean {
  return at < message.end && message.bytes[at] === BLANK;
}

function numberIn(message: MessageReader, start: number, end: number): number | undefined {
  if (end === start || end - start > 15) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = message.bytes[at] ?? NOTHING;
    if (!isDigit(byte)) return undefined;
    value = value * 10 + byte - ZERO;
  }
  return value;
}

/** The date and the text; a host alone is a Cisco header only before a mnemonic. */
function readDated(message: MessageReader, hasSequence: boolean): boolean {
  if (!message.readTime()) return hasSequence && readMnemonic(message);
  message.skipBlanks();
  const hasColon = message.skip(COLON);
  message.skipBlanks();
  const isRead = readMnemonic(message) || (hasSequence && hasColon);
  if (!isRead) message.time = undefined;
  return isRead;
}

function endOfMnemonic({ bytes, end }: MessageReader, start: number): number {
  let at = start;
  while (at < end && isMnemonicByte(bytes[at] ?? NOTHING)) at++;
  return at;
}

/**
 * The severity in `SEC-6-IPACCESSLOGP`: a facility of one to five names, the severity, and a mnemonic. NOTHING: the bytes
 * are another text.
 */
function severityIn(bytes: Uint8Array, start: number, end: number): number {
  let name = start;
  for (let names = 0; names <= MAX_FACILITY_NAMES; names++) {
    const nameEnd = endOfName(bytes, name, end);
    const isSeverity = names > 0 && nameEnd === name + 1 && isSeverityDigit(bytes[name] ?? NOTHING);
    if (isSeverity && isWord(bytes, nameEnd + 1, end)) return (bytes[name] ?? NOTHING) - ZERO;
    if (nameEnd === end || nameEnd - name > MAX_NAME_BYTES || !isUpper(bytes[name] ?? NOTHING))
      return NOTHING;
    name = nameEnd + 1;
  }
  return NOTHING;
}

const MAX_FACILITY_NAMES = 5;
const MAX_NAME_BYTES = 64;

function endOfName(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== HYPHEN) at++;
  return at;
}

/** A mnemonic, the last part. */
function isWord(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === HYPHEN || bytes[at] === SLASH) return false;
  return end > start && end - start <= MAX_NAME_BYTES;
}

function isSeverityDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 7;
}

function isUpper(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

function isMnemonicByte(byte: number): boolean {
  const letter = byte | 0x20;
  return (
    (letter >= 0x61 && letter <= 0x7a) ||
    isDigit(byte) ||
    byte === HYPHEN ||
    byte === UNDERSCORE ||
    byte === SLASH
  );
}

const SLASH = 0x2f;
const UNDERSCORE = 0x5f;
