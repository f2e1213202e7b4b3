import {
  BLANK,
  type ByteCursor,
  COLON,
  isDigit,
  NOTHING,
  OPEN_BRACKET,
  PERCENT,
  ZERO,
} from '../byte-cursor.ts';
import type { RecordDecoder } from './record-decoder.ts';
import type { SyslogHeader } from './syslog-header.ts';

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
export function readCiscoHeader(cursor: ByteCursor, decoder: RecordDecoder, header: SyslogHeader): boolean {
  if (cursor.peek() === PERCENT) return readMnemonic(cursor, decoder, header);
  const start = cursor.at;
  const found = readSegments(cursor);
  if (found.count > 0 && readDated(cursor, decoder, header, found.hasSequence)) {
    if (found.host !== undefined) header.host = decoder.text(found.host[0], found.host[1]);
    header.sequence = found.sequence;
    return true;
  }
  cursor.at = start;
  return false;
}

/** After a date without a host: `: %ASA-6-302013: text`. The cursor is at the text afterwards. */
export function readMnemonic(cursor: ByteCursor, decoder: RecordDecoder, header: SyslogHeader): boolean {
  if (cursor.peek() !== PERCENT) return false;
  let at = cursor.at + 1;
  while (isMnemonicByte(cursor.bytes[at] ?? NOTHING) && at < cursor.end) at++;
  if (at >= cursor.end || cursor.bytes[at] !== COLON) return false;
  const text = decoder.text(cursor.at + 1, at);
  const severity = severityOf(text);
  if (severity === undefined) return false;
  header.messageId = text;
  header.severity = severity;
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

function readSegments(cursor: ByteCursor): Segments {
  let [count, hasSequence] = [0, false];
  let sequence: number | undefined;
  let host: Segments['host'];
  while (count < MAX_SEGMENTS) {
    const start = cursor.at;
    const end = endOfSegment(cursor);
    if (end === undefined) break;
    const number = numberIn(cursor, start, end);
    if (end === start || number !== undefined) hasSequence = true;
    if (number !== undefined) sequence = number;
    else if (end > start) host = [start, end];
    cursor.at = end + 1;
    cursor.skipBlanks();
    count++;
  }
  return { count, hasSequence, sequence, host };
}

/** The colon after at most one token; undefined: the token is no segment. */
function endOfSegment(cursor: ByteCursor): number | undefined {
  let at = cursor.at;
  while (at < cursor.end) {
    const byte = cursor.bytes[at] ?? NOTHING;
    // The colons of an IPv6 address are not followed by a blank.
    if (byte === COLON && (at === cursor.at || endsSegment(cursor, at + 1))) return at;
    if (byte <= BLANK || byte === OPEN_BRACKET || byte === PERCENT) return undefined;
    at++;
  }
  return undefined;
}

function endsSegment(cursor: ByteCursor, at: number): boolean {
  return at < cursor.end && cursor.bytes[at] === BLANK;
}

function numberIn(cursor: ByteCursor, start: number, end: number): number | undefined {
  if (end === start || end - start > 15) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = cursor.bytes[at] ?? NOTHING;
    if (!isDigit(byte)) return undefined;
    value = value * 10 + byte - ZERO;
  }
  return value;
}

/** The date and the text; a host alone is a Cisco header only before a mnemonic. */
function readDated(
  cursor: ByteCursor,
  decoder: RecordDecoder,
  header: SyslogHeader,
  hasSequence: boolean,
): boolean {
  if (!header.readTime(cursor)) return hasSequence && readMnemonic(cursor, decoder, header);
  cursor.skipBlanks();
  const hasColon = cursor.skip(COLON);
  cursor.skipBlanks();
  const isRead = readMnemonic(cursor, decoder, header) || (hasSequence && hasColon);
  if (!isRead) header.time = undefined;
  return isRead;
}

/** `SEC-6-IPACCESSLOGP`: facility, severity, mnemonic. */
function severityOf(mnemonic: string): number | undefined {
  const [, severity] = /^[A-Z][\w/]{0,63}(?:-[A-Z][\w/]{0,63}){0,4}-([0-7])-\w{1,64}$/.exec(mnemonic) ?? [];
  return severity === undefined ? undefined : Number(severity);
}

function isMnemonicByte(byte: number): boolean {
  const letter = byte | 0x20;
  return (
    (letter >= 0x61 && letter <= 0x7a) || isDigit(byte) || byte === 0x2d || byte === 0x5f || byte === 0x2f
  );
}
