import { BLANK, HYPHEN, isDigit, NOTHING } from '../byte-cursor.ts';
import type { MessageReader } from './message-reader.ts';
import { processIdAt } from './process-id.ts';
import { readStructuredData } from './structured-data.ts';

/**
 * Whether the version of RFC 5424 and a time are at the current place: `1 2003-...` or `1 - `. Other devices
 * write a `1` there, too.
 */
export function isRfc5424(message: MessageReader): boolean {
  if (message.peek() !== ONE || message.peek(1) !== BLANK) return false;
  const { bytes, end } = message;
  let at = message.at + 2;
  while (at < end && bytes[at] === BLANK) at++;
  if (at + 4 >= end || bytes[at] === HYPHEN)
    return bytes[at] === HYPHEN && bytes[at + 1] === BLANK && at + 1 < end;
  for (const yearEnd = at + 4; at < yearEnd; at++) if (!isDigit(bytes[at] ?? NOTHING)) return false;
  return bytes[at] === HYPHEN;
}

/**
 * Reads a header of RFC 5424 from its version on. Several blanks between the fields count as one.
 *
 *     1 2003-10-11T22:14:15.003Z host app - ID47 [id name="value"] text
 */
export function readRfc5424(message: MessageReader): void {
  message.at++;
  message.skipBlanks();
  readTime(message);
  message.host = readField(message);
  message.app = readField(message);
  readRest(message);
}

/** The fields from the process id on. */
export function readRest(message: MessageReader): void {
  const processStart = skipField(message);
  if (processStart !== NOTHING) message.processId = processIdAt(message, processStart, message.at);
  message.messageId = readField(message);
  message.skipBlanks();
  const data = readStructuredData(message);
  if (data === 'unclosed') message.problem = 'the structured data has no end';
  else if (data !== 'nil' && data !== 'absent') message.structuredData = data;
  message.skip(BLANK);
}

function readTime(message: MessageReader): void {
  const start = message.at;
  const hasTime = message.readTime();
  // A blank instead of the `T` makes the time longer than one token.
  if (hasTime && (message.peek() === BLANK || message.isAtEnd)) return;
  message.time = undefined;
  message.at = start;
  const end = message.endOfToken();
  message.at = end;
  const isNil = end === start + 1 && message.bytes[start] === HYPHEN;
  message.timeEnd = isNil ? start : end;
}

/** The next token; undefined for `-` and at the end. */
function readField(message: MessageReader): string | undefined {
  const start = skipField(message);
  return start === NOTHING ? undefined : message.text(start, message.at);
}

/** Skips the next token; returns where it begins, or NOTHING for `-` and at the end. */
function skipField(message: MessageReader): number {
  message.skipBlanks();
  const start = message.at;
  const end = message.endOfToken();
  message.at = end;
  const isNil = end === start || (end === start + 1 && message.bytes[start] === HYPHEN);
  return isNil ? NOTHING : start;
}

const ONE = 0x31;
