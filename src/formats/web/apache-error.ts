import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { parseServer } from '../endpoint.ts';
import type { Format } from '../format.ts';
import { INVALID_UTF8, TIME_RAW } from '../marker-attributes.ts';
import { plainRecord } from '../plain.ts';
import { recordText } from '../record-text.ts';
import { SEVERITY, severityOfName } from '../severity.ts';
import { parseUnzonedTime } from '../time/parse-local-time.ts';

/**
 * The error log of Apache 2.4, and of 2.2, which has no module and no process. The body is the message after
 * the brackets:
 *
 *     [Wed Oct 11 14:32:52.123456 2024] [core:error] [pid 35708:tid 4328636416] [client 192.0.2.1:51234] AH00037: text
 *     [Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] text
 *
 * The time has no zone: it is in the zone of the source.
 */
export const apacheError: Format = {
  name: 'apache-error',
  description: 'The error log of Apache.',
  lines: true,
  parse: parseApacheError,
};

const LINE =
  /^\[(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4})\] \[(?:([\w-]{0,64}):)?([a-z]{1,16}\d?)\] (?:\[pid (\d{1,15})(?::tid (\d{1,15}))?\] )?/;

/** `[client ...]`, `[remote ...]`, after a text such as `(13)Permission denied: `, too. */
const CLIENT = /^((?:\(\d{1,10}\)[^[\n]{0,256}: )?)\[(?:client|remote) ([^\]\s]{1,256})\] /;
const CODE = /^(?:\(\d{1,10}\)[^\n]{0,256}?: )?(AH\d{5}): /;
const REFERER = /, referer: (\S{1,8192})$/;

function parseApacheError(bytes: Uint8Array, context?: RecordContext): ParsedRecord {
  const record = recordText(bytes);
  const match = LINE.exec(record.text);
  if (match === null) return plainRecord(record, 'not a line of the error log of Apache');
  const [matched, time = '', module, level = '', pid, tid] = match;
  const attributes = new Map<string, AttributeValue>();
  if (module !== undefined && module !== '') attributes.set('apache.module', module);
  if (pid !== undefined) attributes.set('process.pid', Number(pid));
  if (tid !== undefined) attributes.set('thread.id', exactNumber(tid));
  const body = takeProperties(record.text.slice(matched.length), attributes);
  const timeUnixNano = parseUnzonedTime(time, context);
  if (timeUnixNano === undefined) attributes.set(TIME_RAW, time);
  if (!record.valid) attributes.set(INVALID_UTF8, true);
  return { timeUnixNano, severityNumber: severityOf(level), severityText: level, body, attributes };
}

/** Moves the client and the referer into attributes; returns the message. */
function takeProperties(text: string, attributes: Map<string, AttributeValue>): string {
  const [matched = '', before = '', address] = CLIENT.exec(text) ?? [];
  const client = address === undefined ? undefined : parseServer(address);
  if (client !== undefined) attributes.set('client.address', client.address);
  if (client?.port !== undefined) attributes.set('client.port', client.port);
  const message = before + text.slice(matched.length);
  const code = CODE.exec(message)?.[1];
  if (code !== undefined) attributes.set('apache.error_code', code);
  const referer = REFERER.exec(message);
  if (referer?.[1] === undefined) return message;
  attributes.set('http.request.header.referer', referer[1]);
  return message.slice(0, referer.index);
}

/** `trace1` to `trace8` are details below `debug`. */
function severityOf(level: string): number | undefined {
  return /^trace\d$/.test(level) ? SEVERITY.trace : severityOfName(level);
}

/** A thread of some systems has more digits than a number can hold. */
function exactNumber(digits: string): number | string {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits;
}
