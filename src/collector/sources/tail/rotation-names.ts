import { basename, dirname, join } from 'node:path';

/** What rotation puts behind a name: `.1`, `-20261120`, `.2026-11-20_10`. */
const ROTATED = /^(.+?)[.-](\d[\d.\-_T]*)$/;

/** The path whose older generation this seems to be, by its name: `/a/x.log` for `/a/x.log.1`. */
export function rotatedFrom(path: string): string | undefined {
  const base = ROTATED.exec(basename(path))?.[1];
  return base === undefined ? undefined : join(dirname(path), base);
}

/**
 * Older generations first: `x.log.3`, `x.log.2`, `x.log`; `x.log-20261119`, `x.log-20261120`, `x.log`. Short numbers
 * count rotations and so grow with age; long ones are dates.
 */
export function compareByAge(a: string, b: string): number {
  const [baseA, suffixA] = partsOf(a);
  const [baseB, suffixB] = partsOf(b);
  if (baseA !== baseB) return baseA < baseB ? -1 : 1;
  if (suffixA === suffixB) return 0;
  if (suffixA === '' || suffixB === '') return suffixA === '' ? 1 : -1;
  if (isCount(suffixA) && isCount(suffixB)) return Number(suffixB) - Number(suffixA);
  return suffixA < suffixB ? -1 : 1;
}

function partsOf(path: string): readonly [base: string, suffix: string] {
  const [, , suffix = ''] = ROTATED.exec(basename(path)) ?? [];
  return [rotatedFrom(path) ?? path, suffix];
}

function isCount(suffix: string): boolean {
  return /^\d{1,4}$/.test(suffix);
}
