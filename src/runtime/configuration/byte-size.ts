const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['k', 2 ** 10],
  ['K', 2 ** 10],
  ['M', 2 ** 20],
  ['G', 2 ** 30],
  ['T', 2 ** 40],
  ['kB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
]);

export const BYTE_SIZE_FORMAT =
  'whole number of bytes, or with a unit: `kB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB`, `TiB`, `K`, `M`, `G`, `T` (as `KiB`)';

/**
 * Parses `10GiB`, `10G` (the same), `500MB`, `1048576` to bytes; undefined for other text, or beyond 2^53.
 */
export function parseByteSize(text: string): number | undefined {
  const match = /^([0-9]{1,16})([A-Za-z]*)$/.exec(text);
  const unit = UNITS.get(match?.[2] ?? '');
  if (match === null || unit === undefined) return undefined;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** For people: `1.5 GiB`. */
export function formatByteSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(unit === 0 ? 0 : 1))} ${units[unit]}`;
}
