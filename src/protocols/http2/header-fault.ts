import type { HeaderList } from './header-list.ts';

/** Why headers are malformed (RFC 9113, section 8); undefined when they are valid. */
export function headerFault(
  headers: HeaderList,
  kind: 'request' | 'response' | 'trailers',
): string | undefined {
  const pseudo = new Set<string>();
  let regular = false;
  for (const [name, value] of headers) {
    const isPseudo = name.startsWith(':');
    if (isPseudo && (regular || pseudo.has(name) || !ALLOWED[kind]?.includes(name)))
      return `the pseudo-header ${printable(name)} is not allowed there`;
    if (isPseudo) pseudo.add(name);
    else if (!NAME.test(name)) return `the header name ${printable(name)} is invalid`;
    else if (CONNECTION_SPECIFIC.has(name) || (name === 'te' && value !== 'trailers'))
      return `the header ${name} is not allowed in HTTP/2`;
    regular ||= !isPseudo;
    if (!VALUE.test(value)) return `the value of the header ${printable(name)} is invalid`;
  }
  const missing = REQUIRED[kind]?.find((name) => !pseudo.has(name));
  return missing === undefined ? undefined : `the pseudo-header ${missing} is missing`;
}

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  request: [':method', ':scheme', ':path', ':authority'],
  response: [':status'],
  trailers: [],
};
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  request: [':method', ':scheme', ':path'],
  response: [':status'],
  trailers: [],
};
/** A token of HTTP in lower case. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Spaces around a value are tolerated: messages of a gRPC status may end with one. */
const VALUE = /^[^\0\r\n]*$/;
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

function printable(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}
