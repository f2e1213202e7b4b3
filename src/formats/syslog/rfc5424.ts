import { BLANK, type ByteCursor, HYPHEN, isDigit, NOTHING } from '../byte-cursor.ts';
import type { RecordDecoder } from './record-decoder.ts';
import { readStructuredData } from './structured-data.ts';
import type { SyslogHeader } from './syslog-header.ts';

/**
 * Whether the version of RFC 5424 and a time are at the current place: `1 2003-...` or `1 - `. Other devices
 * write a `1` there, too.
 */
export function isRfc5424(cursor: ByteCursor): boolean {
  if (cursor.peek() !== ONE || cursor.peek(1) !== BLANK) return false;
  let ahead = 2;
  while (cursor.peek(ahead) === BLANK) ahead++;
  if (cursor.peek(ahead) === HYPHEN) return cursor.peek(ahead + 1) === BLANK;
  for (let index = 0; index < 4; index++) if (!isDigit(cursor.peek(ahead + index))) return false;
  return cursor.peek(ahead + 4) === HYPHEN;
}

/**
 * Reads a header of RFC 5424 from its version on. Several blanks between the fields count as one.
 *
 *     1 2003-10-11T22:14:15.003Z host app - ID47 [id name="value"] text
 */
export function readRfc5424(cursor: ByteCursor, decoder: RecordDecoder, header: SyslogHeader): void {
  cursor.at++;
  cursor.skipBlanks();
  readTime(cursor, header);
  header.host = readField(cursor, decoder);
  header.app = readField(cursor, decoder);
  readRest(cursor, decoder, header);
}

/** The fields from the process id on. */
export function readRest(cursor: ByteCursor, decoder: RecordDecoder, header: SyslogHeader): void {
  header.processId = readField(cursor, decoder);
  header.messageId = readField(cursor, decoder);
  cursor.skipBlanks();
  const data = readStructuredData(cursor, decoder);
  if (data === 'unclosed') header.problem = 'the structured data has no end';
  else if (data !== 'nil' && data !== 'absent') header.structuredData = data;
  cursor.skip(BLANK);
}

function readTime(cursor: ByteCursor, header: SyslogHeader): void {
  const start = cursor.at;
  const end = cursor.endOfToken();
  const hasTime = header.readTime(cursor);
  // A blank instead of the `T` makes the time longer than one token.
  if (hasTime && (cursor.peek() === BLANK || cursor.isAtEnd)) return;
  header.time = undefined;
  cursor.at = end;
  const isNil = end === start + 1 && cursor.bytes[start] === HYPHEN;
  header.timeEnd = isNil ? start : end;
}

/** The next token; undefined for `-` and at the end. */
function readField(cursor: ByteCursor, decoder: RecordDecoder): string | undefined {
  cursor.skipBlanks();
  const start = cursor.at;
  if (cursor.peek() === NOTHING) return undefined;
  cursor.at = cursor.endOfToken();
  return cursor.at === start + 1 && cursor.bytes[start] === HYPHEN
    ? undefined
    : decoder.text(start, cursor.at);
}

const ONE = 0x31;
