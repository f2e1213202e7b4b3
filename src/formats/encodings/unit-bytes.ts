/** The size of a code unit. An end of line is one unit. */
export type UnitBytes = 1 | 2 | 4;

/** The size of a code unit of an encoding; undefined is UTF-8. */
export function unitBytesOf(encoding: string | undefined): UnitBytes {
  return (encoding === undefined ? undefined : WIDE.get(encoding)?.bytes) ?? 1;
}

/** Whether the first byte of a code unit is its lowest. Without a byte order, it is, as in WHATWG's `utf-16`. */
export function isLittleEndian(encoding: string): boolean {
  return WIDE.get(encoding)?.isLittleEndian ?? true;
}

/** Whether the byte order mark at the beginning of a file decides the byte order. */
export function isByteOrderOpen(encoding: string | undefined): boolean {
  return encoding === 'utf-16' || encoding === 'utf-32';
}

/** The encodings with code units of several bytes. */
const WIDE: ReadonlyMap<string, { readonly bytes: UnitBytes; readonly isLittleEndian: boolean }> = new Map([
  ['utf-16', { bytes: 2, isLittleEndian: true }],
  ['utf-16le', { bytes: 2, isLittleEndian: true }],
  ['utf-16be', { bytes: 2, isLittleEndian: false }],
  ['utf-32', { bytes: 4, isLittleEndian: true }],
  ['utf-32le', { bytes: 4, isLittleEndian: true }],
  ['utf-32be', { bytes: 4, isLittleEndian: false }],
]);

/** The number of bytes from `position` to the next beginning of a code unit. Units begin at multiples of their size. */
export function bytesToUnit(position: number, unitBytes: UnitBytes): number {
  return (unitBytes - (position % unitBytes)) % unitBytes;
}
