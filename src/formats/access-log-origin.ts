import { type Endpoint, parseClient, parseServer } from './endpoint.ts';

/** The fields of an access log line before its time. */
export interface AccessLogOrigin {
  readonly server: Endpoint | undefined;
  readonly client: Endpoint | undefined;
  /** The list of a proxy (`X-Forwarded-For`), unchanged; undefined for a single address. */
  readonly forwardedFor: string | undefined;
  readonly ident: string | undefined;
  readonly user: string | undefined;
}

/**
 *     [virtual-host[:port] ]client ident user
 *
 * If the log has the header of a proxy instead of the peer's address, the client is a list: `a, b, c`.
 * OpenTelemetry's `client.address` is the client before all proxies: the first known address of the list.
 *
 * The user may contain blanks, so the number of fields does not show whether the line begins with a virtual
 * host. The second field does: an address is not an ident.
 */
export function scanAccessLogOrigin(text: string): AccessLogOrigin | undefined {
  const [first = '', second = ''] = text.split(' ', 2);
  if (first === '') return undefined;
  // Most lines have one address and no ident.
  if (second === '-' && !text.includes(',') && !text.startsWith('- ', first.length + 3))
    return withoutServer(text);
  return hasServer(text, second) ? withServer(text, first) : withoutServer(text);
}

const ADDRESS =
  /^(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?|\[?[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*(?:%\w+)?\]?(?::\d{1,5})?),?$/i;
const NAME_AND_PORT = /^[^\s,]+:\d{1,5} [^\s]+,? (?!$)/;
const BARE_IPV6 = /^[0-9a-f]*:[0-9a-f]*:/i;

/** `second` is the second field. */
function hasServer(text: string, second: string): boolean {
  if (text.slice(0, text.indexOf(' ')).includes(',')) return false;
  if (ADDRESS.test(second) || second.startsWith('unknown')) return true;
  // `name client.example.com - user`, `name:port - - user`: no user name begins with a hyphen and a blank.
  if (/^\S+ \S+ - /.test(text)) return true;
  return second !== '-' && NAME_AND_PORT.test(text) && !BARE_IPV6.test(text) && /^\S+ \S+ \S+ \S/.test(text);
}

function withServer(text: string, server: string): AccessLogOrigin | undefined {
  const origin = withoutServer(text.slice(server.length + 1));
  return origin && { ...origin, server: parseServer(server) };
}

function withoutServer(text: string): AccessLogOrigin | undefined {
  const hostEnd = text.includes(',') ? endOfList(text) : endOfField(text, 0);
  const host = text.slice(0, hostEnd);
  const [client, isList] = firstKnown(host);
  return {
    server: undefined,
    client,
    forwardedFor: isList ? host : undefined,
    ...identAndUser(text, hostEnd),
  };
}

/** A single field is the user: nearly no client runs an identd. */
function identAndUser(text: string, hostEnd: number): Pick<AccessLogOrigin, 'ident' | 'user'> {
  if (hostEnd === text.length) return { ident: undefined, user: undefined };
  const identEnd = text.indexOf(' ', hostEnd + 1);
  if (identEnd < 0) return { ident: undefined, user: present(text.slice(hostEnd + 1)) };
  return { ident: present(text.slice(hostEnd + 1, identEnd)), user: present(text.slice(identEnd + 1)) };
}

/** A field continues after a blank if a comma comes before the blank. */
function endOfList(text: string): number {
  let end = endOfField(text, 0);
  while (end < text.length && text[end - 1] === ',') end = endOfField(text, end + 1);
  return end;
}

function endOfField(text: string, start: number): number {
  const end = text.indexOf(' ', start);
  return end < 0 ? text.length : end;
}

function firstKnown(host: string): readonly [client: Endpoint | undefined, isList: boolean] {
  if (!host.includes(',')) return [parseClient(host), false];
  for (const each of host.split(',')) {
    const endpoint = parseClient(each.trim());
    if (endpoint !== undefined) return [endpoint, true];
  }
  return [undefined, true];
}

/** `-`, `""` and an empty text mean that there is no value. Apache writes `""` for an empty user. */
function present(text: string): string | undefined {
  return text === '-' || text === '' || text === '""' ? undefined : text;
}
