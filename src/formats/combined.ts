import type { AttributeValue, ParsedRecord, SeverityNumber } from '../records/log-record.ts';
import { type AccessLogLine, scanAccessLogLine } from './access-log-line.ts';
import type { Format } from './format.ts';
import { parseHttpRequestLine } from './http-request-line.ts';
import { INVALID_UTF8, TIME_RAW, UNPARSED } from './marker-attributes.ts';
import { plainRecord } from './plain.ts';
import { recordText } from './record-text.ts';
import { SEVERITY } from './severity.ts';

/**
 * Common and Combined Log Format, as Apache, nginx and most web servers write them:
 *
 *     %h %l %u [%t] "%r" %>s %b ["%{Referer}i" "%{User-agent}i"]
 *     127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a?b HTTP/1.0" 200 2326 "http://example.com/" "Mozilla/4.08"
 *
 * A virtual host may come first (`vhost_combined`: `%v:%p %h ...`), and a list of forwarded addresses may
 * replace the client.
 *
 * Attributes have OpenTelemetry's names. A field that is `-` in the line is absent. An invalid request (a TLS
 * greeting, a connection that was closed early) has no method; its text is `megacollector.request_raw`. The
 * severity follows from the status: 5xx ERROR, 4xx WARN, otherwise INFO. Text after the known fields is kept
 * in `megacollector.unparsed`.
 */
export const combined: Format = {
  name: 'combined',
  description: 'Common and Combined Log Format of web servers.',
  lines: true,
  parse: (bytes) => {
    const record = recordText(bytes);
    const line = scanAccessLogLine(record.text);
    if (line === undefined) return plainRecord(record, 'not in Common or Combined Log Format');
    return accessRecord(record.text, line, record.valid && line.valid);
  },
};

/** An invalid request line, unescaped. */
export const REQUEST_RAW = 'megacollector.request_raw';

/** The list of addresses that a proxy sent, if the log has it instead of the client. */
export const FORWARDED_FOR = 'http.request.header.x-forwarded-for';

/** The user according to the client's identd (`%l`): usually absent. */
export const IDENT = 'megacollector.ident';

function accessRecord(body: string, line: AccessLogLine, valid: boolean): ParsedRecord {
  const attributes = new Map<string, AttributeValue>();
  const set = (key: string, value: AttributeValue | undefined) => {
    if (value !== undefined) attributes.set(key, value);
  };
  set('client.address', line.client?.address);
  set('client.port', line.client?.port);
  set(FORWARDED_FOR, line.forwardedFor);
  set('server.address', line.server?.address);
  set('server.port', line.server?.port);
  set(IDENT, line.ident);
  set('user.name', line.user);
  setRequest(set, line.request);
  set('http.response.status_code', line.status);
  set('http.response.body.size', sizeOf(line.size));
  set('http.request.header.referer', line.referer);
  set('user_agent.original', line.userAgent);
  set(UNPARSED, line.rest);
  set(TIME_RAW, line.timeText);
  if (!valid) set(INVALID_UTF8, true);
  return { timeUnixNano: line.timeUnixNano, severityNumber: severityOfStatus(line.status), body, attributes };
}

export function setRequest(
  set: (key: string, value: string | undefined) => void,
  line: string | undefined,
): void {
  if (line === undefined) return;
  const request = parseHttpRequestLine(line);
  if (request === undefined) {
    set(REQUEST_RAW, line);
    return;
  }
  set('http.request.method', request.method);
  setTarget(set, request.target);
  set('network.protocol.version', request.version);
}

/** `/path?query`, or the form of requests to a proxy: `http://host/path?query`, `host:port`. */
export function setTarget(set: (key: string, value: string | undefined) => void, target: string): void {
  const isRelative = '/*?'.includes(target.charAt(0));
  if (!isRelative) set('url.original', target);
  const relative = isRelative ? target : target.replace(SCHEME_AND_HOST, '');
  const question = relative.indexOf('?');
  set('url.path', question < 0 ? relative : relative.slice(0, question));
  if (question >= 0) set('url.query', relative.slice(question + 1));
}

const SCHEME_AND_HOST = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i;

/** A number, or its digits if a number would round them. */
export function sizeOf(size: string | undefined): number | string | undefined {
  if (size === undefined) return undefined;
  const number = Number(size);
  return Number.isSafeInteger(number) ? number : size;
}

/** The severity of a request with this status. */
export function severityOfStatus(status: number | undefined): SeverityNumber {
  if (status === undefined || status < 400) return SEVERITY.info;
  return status < 500 ? SEVERITY.warn : SEVERITY.error;
}
