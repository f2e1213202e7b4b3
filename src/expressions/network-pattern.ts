/** Neither an address nor a network. `message`: the expected form, for a person. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/**
 * A regular expression for the addresses of networks, in lower case: `10.0.0.0/8`, `2001:db8::/32`, or one address.
 * It matches an address in each of its usual forms: `::ffff:10.0.0.1` is the IPv4 address, groups of zeros may be
 * left out, the last two groups may be written as an IPv4 address, and a zone may follow (`fe80::1%eth0`). Both
 * stores and the closures of expressions run patterns, and so they agree. Throws NetworkError.
 */
export function networksPattern(networks: readonly string[]): string {
  return `^(?:${networks.map((text) => networkPattern(text.trim())).join('|')})$`;
}

function networkPattern(text: string): string {
  const [, address = '', prefix] = NETWORK.exec(text) ?? [];
  const isV6 = address.includes(':');
  const bits = Number(prefix ?? (isV6 ? V6_BITS : V4_BITS));
  const octets = isV6 ? undefined : octetsOf(address);
  const groups = isV6 ? groupsOf(address.toLowerCase()) : undefined;
  if (octets !== undefined && bits <= V4_BITS) return `(?:::ffff:)?${dotted(octets, bits)}`;
  if (groups !== undefined && bits <= V6_BITS) return `(?:${inGroups(groups, bits)})(?:%[0-9a-z._-]+)?`;
  throw new NetworkError(
    `expected a network such as 10.0.0.0/8 or 2001:db8::/32, found ${JSON.stringify(text)}`,
  );
}

const NETWORK = /^([0-9A-Fa-f:.]{2,45})(?:\/(0|[1-9]\d{0,2}))?$/;
const V4_BITS = 32;
const V6_BITS = 128;
const GROUPS = 8;
const GROUP_BITS = 16;

function octetsOf(text: string): readonly number[] | undefined {
  const octets = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) ? text.split('.').map(Number) : [];
  return octets.length === 4 && octets.every((each) => each <= 255) ? octets : undefined;
}

/** The eight numbers of an IPv6 address. */
function groupsOf(text: string): readonly number[] | undefined {
  const [head = '', tail, ...more] = text.split('::');
  const before = numbersOf(head, tail === undefined);
  const after = tail === undefined ? [] : numbersOf(tail, true);
  if (more.length > 0 || before === undefined || after === undefined) return undefined;
  const missing = GROUPS - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...Array.from({ length: missing }, () => 0), ...after];
}

/** `isEnd`: the text is the end of the address, where the last part may be an IPv4 address. */
function numbersOf(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const numbers: number[] = [];
  const parts = text.split(':');
  for (const [at, part] of parts.entries()) {
    const octets = isEnd && at === parts.length - 1 ? octetsOf(part) : undefined;
    if (octets !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = octets;
      numbers.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-f]{1,4}$/.test(part)) numbers.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return numbers;
}

function dotted(octets: readonly number[], bits: number): string {
  return octets.map((octet, at) => octetPattern(octet, within(bits - at * 8, 8))).join('\\.');
}

/** The numbers from 0 to 255 whose first bits are those of `octet`. */
function octetPattern(octet: number, bits: number): string {
  if (bits === 0) return '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
  const size = 2 ** (8 - bits);
  const first = octet - (octet % size);
  return `(?:${Array.from({ length: size }, (_, at) => first + at).join('|')})`;
}

/** A group of an address: its pattern, and whether zero is one of its numbers. */
interface Group {
  readonly pattern: string;
  readonly mayBeZero: boolean;
}

function inGroups(numbers: readonly number[], bits: number): string {
  const groups = numbers.map((number, at) => groupOf(number, within(bits - at * GROUP_BITS, GROUP_BITS)));
  const octets = numbers.slice(-2).flatMap((number) => [number >> 8, number & 255]);
  const end = dotted(octets, within(bits - 96, V4_BITS));
  return `${formsOf(groups)}|${formsOf(groups.slice(0, -2), end)}`;
}

/** The forms of these groups: all of them, or `::` for some that are zero. `end`: follows the groups. */
function formsOf(groups: readonly Group[], end?: string): string {
  let rest = end === undefined ? '' : `:${end}`;
  for (let at = groups.length - 1; at >= 0; at--) {
    const group = groups[at] as Group;
    const all = `${at === 0 ? '' : ':'}${group.pattern}${rest}`;
    rest = group.mayBeZero ? `(?:${all}|::${afterGap(groups.slice(at + 1), end)})` : all;
  }
  return rest;
}

/** The groups that may follow `::`, which is at least one group before them: zeros at the beginning may be left out. */
function afterGap(groups: readonly Group[], end?: string): string {
  const parts = groups.map(({ pattern }) => pattern);
  const required = groups.findIndex(({ mayBeZero }) => !mayBeZero);
  const optional = required < 0 ? parts : parts.slice(0, required);
  const others = [...(required < 0 ? [] : parts.slice(required)), ...(end === undefined ? [] : [end])];
  if (others.length > 0) return `${leftOut(optional)}${others.join(':')}`;
  const last = optional.at(-1);
  return last === undefined ? '' : `(?:${leftOut(optional.slice(0, -1))}${last})?`;
}

/** The last groups of these, each with a colon. */
function leftOut(patterns: readonly string[]): string {
  if (patterns.length > 0 && patterns.every((each) => each === ANY_GROUP))
    return `(?:${ANY_GROUP}:){0,${patterns.length}}`;
  return patterns.reduce((before, pattern) => `(?:${before}${pattern}:)?`, '');
}

/** Without a count, because V8's linear engine limits the product of counts. */
const ANY_GROUP = '[0-9a-f][0-9a-f]?[0-9a-f]?[0-9a-f]?';

/** The numbers of a group whose first bits are those of `number`; zeros at the beginning may be left out. */
function groupOf(number: number, bits: number): Group {
  if (bits === 0) return { pattern: ANY_GROUP, mayBeZero: true };
  const digits = [12, 8, 4, 0].map((shift, at) => digitsOf((number >> shift) & 15, within(bits - at * 4, 4)));
  let pattern = '';
  let mayBeLeftOut = true;
  for (const digit of digits) {
    pattern = pattern === '' ? digit.pattern : `${pattern}${digit.pattern}`;
    mayBeLeftOut &&= digit.mayBeZero;
    if (mayBeLeftOut && digit !== digits.at(-1)) pattern = `(?:${pattern})?`;
  }
  return { pattern, mayBeZero: mayBeLeftOut };
}

function digitsOf(digit: number, bits: number): Group {
  const size = 2 ** (4 - bits);
  const first = digit - (digit % size);
  const all = Array.from({ length: size }, (_, at) => (first + at).toString(16)).join('');
  return { pattern: size === 1 ? all : `[${all}]`, mayBeZero: first === 0 };
}

function within(bits: number, max: number): number {
  return Math.min(max, Math.max(0, bits));
}
