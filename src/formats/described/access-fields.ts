import type { AttributeValue } from '../../records/log-record.ts';
import { FORWARDED_FOR, IDENT, setRequest, setTarget, sizeOf } from '../combined.ts';
import { parseClient, parseServer } from '../endpoint.ts';
import { numberToUnixNano } from '../number-to-unix-nano.ts';
import { parseAccessLogTime, parseOtherAccessLogTime } from '../parse-access-log-time.ts';

/** The result of one access log line while its fields are read. */
export interface AccessRecord {
  timeUnixNano: bigint | undefined;
  /** The text of a time that is not understood. */
  timeText: string | undefined;
  status: number | undefined;
  readonly attributes: Map<string, AttributeValue>;
}

/** Stores the value of one field. It is never called for an absent value (`-`). */
export type PutField = (record: AccessRecord, value: string) => void;

const attribute =
  (name: string): PutField =>
  ({ attributes }, value) =>
    void attributes.set(name, value);

const integer =
  (name: string): PutField =>
  ({ attributes }, value) => {
    const size = /^\d{1,20}$/.test(value) ? sizeOf(value) : value;
    if (size !== undefined) attributes.set(name, size);
  };

/** A duration in seconds, as OpenTelemetry has it. */
const duration =
  (unitsPerSecond: number): PutField =>
  ({ attributes }, value) => {
    const seconds = /^\d{1,15}(?:\.\d{1,9})?$/.test(value) ? Number(value) / unitsPerSecond : value;
    attributes.set('http.server.request.duration', seconds);
  };

export const time: PutField = (record, value) => {
  const text = value.startsWith('[') && value.endsWith(']') ? value.slice(1, -1) : value;
  record.timeUnixNano = parseAccessLogTime(text) ?? parseOtherAccessLogTime(text);
  if (record.timeUnixNano === undefined) record.timeText = text;
};

const epoch: PutField = (record, value) => {
  record.timeUnixNano = numberToUnixNano(value);
  if (record.timeUnixNano === undefined) record.timeText = value;
};

const setter =
  ({ attributes }: AccessRecord) =>
  (key: string, value: string | undefined) => {
    if (value !== undefined) attributes.set(key, value);
  };

const request: PutField = (record, value) => setRequest(setter(record), value);
const target: PutField = (record, value) => setTarget(setter(record), value);

const query: PutField = ({ attributes }, value) => {
  const text = value.startsWith('?') ? value.slice(1) : value;
  if (text !== '') attributes.set('url.query', text);
};

const status: PutField = (record, value) => {
  if (!/^\d{3}$/.test(value)) return;
  record.status = Number(value);
  record.attributes.set('http.response.status_code', record.status);
};

const client: PutField = ({ attributes }, value) => {
  const endpoint = parseClient(value);
  if (endpoint === undefined) return;
  attributes.set('client.address', endpoint.address);
  if (endpoint.port !== undefined) attributes.set('client.port', endpoint.port);
};

const server: PutField = ({ attributes }, value) => {
  const endpoint = parseServer(value);
  if (endpoint === undefined) return;
  attributes.set('server.address', endpoint.address);
  if (endpoint.port !== undefined) attributes.set('server.port', endpoint.port);
};

const protocol: PutField = ({ attributes }, value) =>
  void attributes.set('network.protocol.version', value.replace(/^HTTP\//, ''));

const bodySize = integer('http.response.body.size');

/** The variables of nginx that have a name in OpenTelemetry. */
const NGINX: ReadonlyMap<string, PutField> = new Map([
  ['remote_addr', client],
  ['realip_remote_addr', attribute('network.peer.address')],
  ['remote_port', integer('client.port')],
  ['remote_user', attribute('user.name')],
  ['time_local', time],
  ['time_iso8601', time],
  ['msec', epoch],
  ['request', request],
  ['request_method', attribute('http.request.method')],
  ['request_uri', target],
  ['uri', attribute('url.path')],
  ['document_uri', attribute('url.path')],
  ['args', query],
  ['query_string', query],
  ['is_args', () => undefined],
  ['status', status],
  ['body_bytes_sent', bodySize],
  ['bytes_sent', integer('http.response.size')],
  ['request_length', integer('http.request.size')],
  ['request_time', duration(1)],
  ['server_name', attribute('server.address')],
  ['server_addr', attribute('network.local.address')],
  ['server_port', integer('server.port')],
  ['host', attribute('http.request.header.host')],
  ['scheme', attribute('url.scheme')],
  ['server_protocol', protocol],
  ['http_user_agent', attribute('user_agent.original')],
  ['http_x_forwarded_for', attribute(FORWARDED_FOR)],
  ['pid', integer('process.pid')],
  ['hostname', attribute('host.name')],
]);

/** How a variable of nginx is stored. One without a name in OpenTelemetry keeps its own. */
export function nginxField(name: string): PutField {
  const known = NGINX.get(name);
  if (known !== undefined) return known;
  const header = /^(sent_)?http_(\w+)$/.exec(name);
  if (header === null) return attribute(name);
  const [, sent, field = ''] = header;
  return attribute(
    `http.${sent === undefined ? 'request' : 'response'}.header.${field.replaceAll('_', '-')}`,
  );
}

const APACHE: ReadonlyMap<string, PutField> = new Map([
  ['h', client],
  ['a', client],
  ['A', attribute('network.local.address')],
  ['l', attribute(IDENT)],
  ['u', attribute('user.name')],
  ['t', time],
  ['r', request],
  ['s', status],
  ['b', bodySize],
  ['B', bodySize],
  ['O', integer('http.response.size')],
  ['I', integer('http.request.size')],
  ['D', duration(1_000_000)],
  ['T', duration(1)],
  ['m', attribute('http.request.method')],
  ['U', attribute('url.path')],
  ['q', query],
  ['H', protocol],
  ['v', server],
  ['V', server],
  ['p', integer('server.port')],
  ['P', integer('process.pid')],
  ['f', attribute('apache.filename')],
  ['k', integer('apache.keepalive_requests')],
  ['L', attribute('apache.log_id')],
  ['R', attribute('apache.handler')],
  ['S', integer('http.connection.size')],
  ['X', attribute('apache.connection_status')],
]);

/** How a directive of Apache is stored; undefined for an unknown one. `argument`: the text in braces. */
export function apacheField(letter: string, argument: string | undefined): PutField | undefined {
  return argument === undefined ? APACHE.get(letter) : withArgument(letter, argument);
}

const HEADERS: ReadonlyMap<string, string> = new Map([
  ['user-agent', 'user_agent.original'],
  ['x-forwarded-for', FORWARDED_FOR],
]);

function withArgument(letter: string, argument: string): PutField | undefined {
  const name = argument.toLowerCase();
  switch (letter) {
    case 'i':
      return attribute(HEADERS.get(name) ?? `http.request.header.${name}`);
    case 'o':
      return attribute(`http.response.header.${name}`);
    case 'C':
      return attribute(`http.request.cookie.${argument}`);
    case 'e':
    case 'n':
      return attribute(argument);
    case 'a':
      return attribute(name === 'c' ? 'network.peer.address' : 'client.address');
    case 'p':
      return integer(name === 'remote' ? 'client.port' : 'server.port');
    case 'P':
      return integer(name.includes('tid') ? 'thread.id' : 'process.pid');
    case 't':
      return /^(?:begin:|end:)?(?:sec|msec|usec)$/.test(name) ? epoch : time;
    case 'T':
      return duration(name === 'us' ? 1_000_000 : name === 'ms' ? 1000 : 1);
    default:
      return undefined;
  }
}
