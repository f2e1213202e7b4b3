import { SEVERITY_NAMES } from '../../protocols/syslog/codes.ts';
import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { HOST_NAME, SERVICE_NAME } from '../../records/record-origin.ts';
import { ByteCursor, ZERO } from '../byte-cursor.ts';
import { PEER_ADDRESS } from '../connection-attributes.ts';
import type { Format } from '../format.ts';
import { objectIn } from '../json.ts';
import { ENCODING_GUESSED, INVALID_UTF8, PARSE_ERROR, TIME_RAW } from '../marker-attributes.ts';
import { SYSLOG_SEVERITIES } from '../severity.ts';
import { wallTimeToUnixNano } from '../time/wall-time.ts';
import { readHostAndTag, readTag } from './bsd-header.ts';
import { readCiscoHeader } from './cisco-header.ts';
import { parseJsonMessage } from './json-message.ts';
import { readPriority } from './priority.ts';
import { RecordDecoder } from './record-decoder.ts';
import { isRfc5424, readRfc5424 } from './rfc5424.ts';
import {
  FACILITY,
  MESSAGE_ID,
  PROCESS_ID,
  PROCESS_NAME,
  SEQUENCE,
  SEVERITY_CODE,
  STRUCTURED_DATA,
  TRUSTED,
} from './syslog-attributes.ts';
import { SyslogHeader } from './syslog-header.ts';
import { findTrustedProperties } from './trusted-properties.ts';
import { readFortiGate, readMeraki } from './vendor-headers.ts';

/**
 * Syslog as programs and devices really send it: RFC 5424, RFC 3164 with its many variants, the headers of
 * Cisco, Meraki, FortiGate, Check Point, ESXi and others, lines of rsyslog's files, and JSON. The body is the
 * text after the header; CEF, LEEF and key=value lists in it are left as they are.
 *
 * A record without a priority has no severity. A time without a year is in the year nearest to the moment of
 * reading; a time without a zone is in the zone of the source (`megacollector.timezone`), or else UTC. The
 * host of a message without one is the peer that sent it.
 */
export const syslog: Format = {
  name: 'syslog',
  description: 'Syslog: RFC 5424, RFC 3164 and their dialects; lines of rsyslog in files.',
  lines: true,
  parse: parseSyslog,
};

function parseSyslog(bytes: Uint8Array, context?: RecordContext): ParsedRecord {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const decoder = new RecordDecoder(bytes);
  const lineEnd = endOfLine(bytes);
  if (bytes[start] === OPEN_BRACE) return jsonRecord(decoder, [start, lineEnd], context);
  const cursor = new ByteCursor(bytes, start, endWithoutNuls(bytes, lineEnd));
  const priority = readPriority(cursor);
  const reading: Reading = { cursor, decoder, header: new SyslogHeader(), context };
  if (typeof priority === 'number') reading.header.priority = priority;
  const problem = priority === 'invalid' ? 'not a priority of syslog' : readHeader(reading);
  if (problem !== undefined) return unread(decoder, [start, lineEnd], { problem, context });
  return messageRecord(reading);
}

const OPEN_BRACE = 0x7b;

/** One object for a message: more would be a part of the cost that can be seen. */
interface Reading {
  readonly cursor: ByteCursor;
  readonly decoder: RecordDecoder;
  readonly header: SyslogHeader;
  readonly context: RecordContext | undefined;
}

/** Returns the reason why there is no header. Only a record with a priority may have a text without a date. */
function readHeader({ cursor, decoder, header }: Reading): string | undefined {
  const hasPriority = !Number.isNaN(header.priority);
  if (hasPriority) cursor.skipBlanks();
  if (hasPriority && isRfc5424(cursor)) readRfc5424(cursor, decoder, header);
  else if (header.readTime(cursor)) readHostAndTag(cursor, decoder, header);
  else if (hasPriority && readMeraki(cursor, decoder, header)) return undefined;
  else if (readCiscoHeader(cursor, decoder, header) || readFortiGate(cursor, decoder, header))
    return undefined;
  else if (hasPriority) readTag(cursor, decoder, header);
  else return 'not a message of syslog';
  return undefined;
}

function messageRecord({ cursor, decoder, header, context }: Reading): ParsedRecord {
  const { priority } = header;
  const attributes = new Map<string, AttributeValue>();
  const severity = Number.isNaN(priority) ? header.severity : priority & 7;
  if (!Number.isNaN(priority)) attributes.set(FACILITY, priority >> 3);
  if (severity !== undefined) attributes.set(SEVERITY_CODE, severity);
  setFields(attributes, header, context);
  const body = bodyOf(cursor, decoder, attributes);
  const timeUnixNano = header.time && wallTimeToUnixNano(header.time, context);
  if (timeUnixNano === undefined && header.timeEnd > header.timeStart)
    attributes.set(TIME_RAW, decoder.text(header.timeStart, header.timeEnd));
  mark(attributes, decoder);
  return {
    timeUnixNano,
    severityNumber: severity === undefined ? undefined : SYSLOG_SEVERITIES[severity],
    severityText: severity === undefined ? undefined : SEVERITY_NAMES[severity],
    body,
    attributes,
  };
}

function setFields(
  attributes: Map<string, AttributeValue>,
  header: SyslogHeader,
  context: RecordContext | undefined,
): void {
  const host = header.host ?? peerOf(context);
  if (host !== undefined) attributes.set(HOST_NAME, host);
  if (header.app !== undefined) attributes.set(SERVICE_NAME, header.app);
  if (header.processId !== undefined) setProcess(attributes, header.processId);
  if (header.messageId !== undefined) attributes.set(MESSAGE_ID, header.messageId);
  if (header.structuredData !== undefined) attributes.set(STRUCTURED_DATA, header.structuredData);
  if (header.sequence !== undefined) attributes.set(SEQUENCE, header.sequence);
  if (header.problem !== undefined) attributes.set(PARSE_ERROR, header.problem);
}

function setProcess(attributes: Map<string, AttributeValue>, text: string): void {
  const number = processNumber(text);
  if (number === undefined) attributes.set(PROCESS_NAME, text);
  else attributes.set(PROCESS_ID, number);
}

/** The number that these digits are; undefined for other texts, and for digits that a number would change. */
function processNumber(text: string): number | undefined {
  if (text.length > 15 || (text.length > 1 && text.charCodeAt(0) === ZERO)) return undefined;
  let number = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return number;
}

function peerOf(context: RecordContext | undefined): string | undefined {
  return context?.peer?.get(PEER_ADDRESS) ?? context?.resource.get(PEER_ADDRESS);
}

/** The text after the header, without what other attributes have from it. */
function bodyOf(cursor: ByteCursor, decoder: RecordDecoder, attributes: Map<string, AttributeValue>): string {
  if (startsWithMark(cursor)) cursor.at += 3;
  const text = decoder.text(cursor.at, cursor.end);
  if (text.startsWith(CEE)) setCee(attributes, text);
  const trusted = findTrustedProperties(text);
  if (trusted === undefined) return text;
  attributes.set(TRUSTED, trusted.properties);
  return trusted.text;
}

const CEE = '@cee:';

function startsWithMark(cursor: ByteCursor): boolean {
  return cursor.peek() === 0xef && cursor.peek(1) === 0xbb && cursor.peek(2) === 0xbf;
}

/** The fields of a message in the form of Common Event Expression; the fields of the header win. */
function setCee(attributes: Map<string, AttributeValue>, text: string): void {
  const read = objectIn(text.slice(CEE.length).trim());
  if (typeof read === 'string') return;
  for (const [key, value] of Object.entries(read.object))
    if (!attributes.has(key)) attributes.set(key, value);
}

/** A record without a header of syslog: its body is the record. */
function unread(
  decoder: RecordDecoder,
  [start, end]: readonly [start: number, end: number],
  { problem, context }: { readonly problem: string; readonly context: RecordContext | undefined },
): ParsedRecord {
  const attributes = new Map<string, AttributeValue>([[PARSE_ERROR, problem]]);
  const host = peerOf(context);
  if (host !== undefined) attributes.set(HOST_NAME, host);
  mark(attributes, decoder);
  return { body: decoder.text(start, end), attributes };
}

function jsonRecord(
  decoder: RecordDecoder,
  [start, end]: readonly [start: number, end: number],
  context: RecordContext | undefined,
): ParsedRecord {
  const text = decoder.text(start, end);
  const parsed = parseJsonMessage({ text, valid: true }, context);
  const attributes = new Map(parsed.attributes);
  const host = peerOf(context);
  if (host !== undefined && !attributes.has(HOST_NAME)) attributes.set(HOST_NAME, host);
  mark(attributes, decoder);
  return { ...parsed, attributes };
}

function mark(attributes: Map<string, AttributeValue>, decoder: RecordDecoder): void {
  if (decoder.isInvalid) attributes.set(INVALID_UTF8, true);
  if (decoder.isGuessed) attributes.set(ENCODING_GUESSED, 'windows-1252');
}

/** The end of the record without one LF or CRLF. */
function endOfLine(bytes: Uint8Array): number {
  const { length } = bytes;
  if (bytes[length - 1] !== 0x0a) return length;
  return bytes[length - 2] === 0x0d ? length - 2 : length - 1;
}

/** Some senders end a message with a NUL. */
function endWithoutNuls(bytes: Uint8Array, end: number): number {
  let last = end;
  while (last > 0 && bytes[last - 1] === 0) last--;
  return last;
}
