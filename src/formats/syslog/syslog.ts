import { SEVERITY_NAMES } from '../../protocols/syslog/codes.ts';
import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { HOST_NAME, SERVICE_NAME } from '../../records/record-origin.ts';
import { CLOSE_BRACKET, NOTHING } from '../byte-cursor.ts';
import { PEER_ADDRESS } from '../connection-attributes.ts';
import type { Format } from '../format.ts';
import { objectIn } from '../json.ts';
import { ENCODING_GUESSED, INVALID_UTF8, PARSE_ERROR, TIME_RAW } from '../marker-attributes.ts';
import { SYSLOG_SEVERITIES } from '../severity.ts';
import { wallTimeToUnixNano } from '../time/wall-time.ts';
import { readHostAndTag, readTag } from './bsd-header.ts';
import { readCiscoHeader } from './cisco-header.ts';
import { parseJsonMessage } from './json-message.ts';
import { MessageReader } from './message-reader.ts';
import { readPriority } from './priority.ts';
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
  const lineEnd = endOfLine(bytes);
  const message = new MessageReader(bytes, start, endWithoutNuls(bytes, lineEnd));
  if (bytes[start] === OPEN_BRACE) return jsonRecord(message, [start, lineEnd], context);
  const priority = readPriority(message);
  if (typeof priority === 'number') message.priority = priority;
  const problem = priority === 'invalid' ? 'not a priority of syslog' : readHeader(message);
  if (problem !== undefined) return unread(message, [start, lineEnd], { problem, context });
  return messageRecord(message, context);
}

const OPEN_BRACE = 0x7b;

/** Returns the reason why there is no header. Only a record with a priority may have a text without a date. */
function readHeader(message: MessageReader): string | undefined {
  const hasPriority = message.priority !== NOTHING;
  if (hasPriority) message.skipBlanks();
  if (hasPriority && isRfc5424(message)) readRfc5424(message);
  else if (message.readTime()) readHostAndTag(message);
  else if (hasPriority && readMeraki(message)) return undefined;
  else if (readCiscoHeader(message) || readFortiGate(message)) return undefined;
  else if (hasPriority) readTag(message);
  else return 'not a message of syslog';
  return undefined;
}

function messageRecord(message: MessageReader, context: RecordContext | undefined): ParsedRecord {
  const { priority } = message;
  const attributes = new Map<string, AttributeValue>();
  const severity = priority === NOTHING ? message.severity : priority & 7;
  if (priority !== NOTHING) attributes.set(FACILITY, priority >> 3);
  if (severity !== undefined) attributes.set(SEVERITY_CODE, severity);
  setFields(attributes, message, context);
  const body = bodyOf(message, attributes);
  const timeUnixNano = message.time && wallTimeToUnixNano(message.time, context);
  if (timeUnixNano === undefined && message.timeEnd > message.timeStart)
    attributes.set(TIME_RAW, message.text(message.timeStart, message.timeEnd));
  mark(attributes, message);
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
  message: MessageReader,
  context: RecordContext | undefined,
): void {
  const host = message.host ?? peerOf(context);
  if (host !== undefined) attributes.set(HOST_NAME, host);
  if (message.app !== undefined) attributes.set(SERVICE_NAME, message.app);
  if (message.processId !== undefined) setProcess(attributes, message.processId);
  if (message.messageId !== undefined) attributes.set(MESSAGE_ID, message.messageId);
  if (message.structuredData !== undefined) attributes.set(STRUCTURED_DATA, message.structuredData);
  if (message.sequence !== undefined) attributes.set(SEQUENCE, message.sequence);
  if (message.problem !== undefined) attributes.set(PARSE_ERROR, message.problem);
}

function setProcess(attributes: Map<string, AttributeValue>, id: number | string): void {
  attributes.set(typeof id === 'number' ? PROCESS_ID : PROCESS_NAME, id);
}

function peerOf(context: RecordContext | undefined): string | undefined {
  return context?.peer?.get(PEER_ADDRESS) ?? context?.resource.get(PEER_ADDRESS);
}

/** The text after the header, without what other attributes have from it. */
function bodyOf(message: MessageReader, attributes: Map<string, AttributeValue>): string {
  if (startsWithMark(message)) message.at += 3;
  const text = message.text(message.at, message.end);
  if (message.peek() === AT && text.startsWith(CEE)) setCee(attributes, text);
  if (message.bytes[message.end - 1] !== CLOSE_BRACKET) return text;
  const trusted = findTrustedProperties(text);
  if (trusted === undefined) return text;
  attributes.set(TRUSTED, trusted.properties);
  return trusted.text;
}

const AT = 0x40;
const CEE = '@cee:';

function startsWithMark(message: MessageReader): boolean {
  return message.peek() === 0xef && message.peek(1) === 0xbb && message.peek(2) === 0xbf;
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
  message: MessageReader,
  [start, end]: readonly [start: number, end: number],
  { problem, context }: { readonly problem: string; readonly context: RecordContext | undefined },
): ParsedRecord {
  const attributes = new Map<string, AttributeValue>([[PARSE_ERROR, problem]]);
  const host = peerOf(context);
  if (host !== undefined) attributes.set(HOST_NAME, host);
  mark(attributes, message);
  return { body: message.text(start, end), attributes };
}

function jsonRecord(
  message: MessageReader,
  [start, end]: readonly [start: number, end: number],
  context: RecordContext | undefined,
): ParsedRecord {
  const text = message.text(start, end);
  const parsed = parseJsonMessage({ text, valid: true }, context);
  const attributes = new Map(parsed.attributes);
  const host = peerOf(context);
  if (host !== undefined && !attributes.has(HOST_NAME)) attributes.set(HOST_NAME, host);
  mark(attributes, message);
  return { ...parsed, attributes };
}

function mark(attributes: Map<string, AttributeValue>, message: MessageReader): void {
  if (message.isInvalid) attributes.set(INVALID_UTF8, true);
  if (message.isGuessed) attributes.set(ENCODING_GUESSED, 'windows-1252');
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
