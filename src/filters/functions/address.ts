/** The bytes of an IP address: 4 or 16; undefined: the text is none. IPv4 in IPv6 is returned as IPv4. */
export function addressBytes(text: string): readonly number[] | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  if (!text.includes(':')) return ipv4Bytes(text);
  const bytes = ipv6Bytes(text.split('%', 1)[0] ?? '');
  return bytes !== undefined && MAPPED.every((each, at) => bytes[at] === each) ? bytes.slice(12) : bytes;
}

const MAX_LENGTH = 64;
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

function ipv4Bytes(text: string): readonly number[] | undefined {
  const bytes = IPV4.exec(text)?.slice(1).map(Number);
  return bytes?.every((each) => each < 256) ? bytes : undefined;
}

function ipv6Bytes(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupBytes);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 16 ? head : undefined;
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  return [...head, ...Array.from({ length: 16 - head.length - tail.length }, () => 0), ...tail];
}

/** The bytes of `2001:db8:0` or `ffff:10.0.0.1`. */
function groupBytes(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes = groups.map((group, at) => {
    if (at === groups.length - 1 && group.includes('.')) return ipv4Bytes(group);
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const number = Number.parseInt(group, 16);
    return [number >> 8, number & 255];
  });
  return bytes.every((each) => each !== undefined) ? bytes.flat() : undefined;
}

/** A network: the addresses whose first bits are these. */
export interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address; undefined: the text is none. */
export function parseNetwork(text: string): Network | undefined {
  const [, address = '', size] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const bytes = addressBytes(address);
  if (bytes === undefined) return undefined;
  const bits = size === undefined ? bytes.length * 8 : Number(size);
  return bits > bytes.length * 8 ? undefined : { bytes, bits };
}

export function isWithin(address: readonly number[], { bytes, bits }: Network): boolean {
  if (address.length !== bytes.length) return false;
  for (let at = 0; at * 8 < bits; at++) {
    const mask = bits - at * 8 >= 8 ? 255 : 255 & (255 << (8 - (bits - at * 8)));
    if (((address[at] ?? 0) & mask) !== ((bytes[at] ?? 0) & mask)) return false;
  }
  return true;
}
