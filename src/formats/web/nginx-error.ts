import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { setRequest } from '../combined.ts';
import type { Format } from '../format.ts';
import { INVALID_UTF8, TIME_RAW } from '../marker-attributes.ts';
import { plainRecord } from '../plain.ts';
import { recordText } from '../record-text.ts';
import { severityOfName } from '../severity.ts';
import { wallTimeToUnixNano } from '../time/wall-time.ts';

/**
 * The error log of nginx. The body is the message, without the list of the request's properties after it:
 *
 *     2024/11/28 10:00:00 [error] 1234#5678: *9 open() "/x" failed, client: 192.0.2.1, server: example.com,
 *     request: "GET /x HTTP/1.1", upstream: "http://10.0.0.1/", host: "example.com", referrer: "http://a/"
 *
 * The time has no zone: it is in the zone of the source.
 */
export const nginxError: Format = {
  name: 'nginx-error',
  description: 'The error log of nginx.',
  lines: true,
  parse: parseNginxError,
};

const LINE =
  /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d) \[([a-z]{1,16})\] (\d{1,15})#(\d{1,15}): (?:\*(\d{1,15}) )?/;

function parseNginxError(bytes: Uint8Array, context?: RecordContext): ParsedRecord {
  const record = recordText(bytes);
  const match = LINE.exec(record.text);
  if (match === null) return plainRecord(record, 'not a line of the error log of nginx');
  const [matched, year, month, day, hour, minute, second, level = '', pid, tid, connection] = match;
  const attributes = new Map<string, AttributeValue>([
    ['process.pid', Number(pid)],
    ['thread.id', Number(tid)],
  ]);
  if (connection !== undefined) attributes.set('nginx.connection', Number(connection));
  const body = takeProperties(record.text.slice(matched.length), attributes);
  const wall = {
    ...{ year: Number(year), month: Number(month), day: Number(day) },
    ...{ hour: Number(hour), minute: Number(minute), second: Number(second) },
  };
  const timeUnixNano = wallTimeToUnixNano({ wall, nanosecond: 0, offsetMinutes: undefined }, context);
  if (timeUnixNano === undefined) attributes.set(TIME_RAW, matched.slice(0, TIME_LENGTH));
  if (!record.valid) attributes.set(INVALID_UTF8, true);
  return { timeUnixNano, severityNumber: severityOfName(level), severityText: level, body, attributes };
}

const TIME_LENGTH = '2024/11/28 10:00:00'.length;

/** `, client: 192.0.2.1, server: ...`, always in this order. */
const PROPERTIES =
  /^, client: (?<client>[^,]+)(?:, server: (?<server>[^,]*))?(?:, request: "(?<request>(?:[^"\\]|\\.)*)")?(?:, subrequest: "(?:[^"\\]|\\.)*")?(?:, upstream: "(?<upstream>[^"]*)")?(?:, host: "(?<host>[^"]*)")?(?:, referrer: "(?<referrer>[^"]*)")?$/s;

/** Moves the properties of the request into attributes; returns the message. */
function takeProperties(text: string, attributes: Map<string, AttributeValue>): string {
  const start = text.lastIndexOf(', client: ');
  const { groups } = (start < 0 ? null : PROPERTIES.exec(text.slice(start))) ?? {};
  if (groups === undefined) return text;
  const set = (key: string, value: string | undefined) => {
    if (value !== undefined && value !== '') attributes.set(key, value);
  };
  set('client.address', groups.client);
  set('server.address', groups.server);
  setRequest(set, groups.request);
  set('nginx.upstream', groups.upstream);
  set('http.request.header.host', groups.host);
  set('http.request.header.referer', groups.referrer);
  return text.slice(0, start);
}
