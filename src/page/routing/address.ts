/** The part of an address after `#/`: `#/r/STREAM/POSITION?q=...` has the path [`r`, STREAM, POSITION]. */
export interface Address {
  readonly path: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

export function parseAddress(hash: string): Address {
  const text = hash.replace(/^#?\/?/, '');
  const end = text.indexOf('?');
  const path = (end === -1 ? text : text.slice(0, end)).split('/').filter((part) => part !== '');
  const parameters = new URLSearchParams(end === -1 ? '' : text.slice(end + 1));
  return { path: path.map(decoded), parameters: Object.fromEntries(parameters) };
}

/** A link that was cut in the middle of an escape is used as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function formatAddress({ path, parameters }: Address): string {
  const query = Object.entries(parameters)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${readable(value)}`)
    .join('&');
  return `#/${path.map(readable).join('/')}${query === '' ? '' : `?${query}`}`;
}

/** Keeps characters that are safe after `#` and that people read: `time:180,host:120`. */
function readable(text: string): string {
  return encodeURIComponent(text).replace(/%(?:3A|2C|40|24)/g, decodeURIComponent);
}
