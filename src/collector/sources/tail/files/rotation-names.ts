import { basename, dirname, join } from 'node:path';

/** The suffixes of rotated files: `.1`, `-20261120`, `.2026-11-20_10`. */
const ROTATED = /^(.+?)[.-](\d[\d.\-_T]*)$/;

/** The path of which this may be an older generation, by its name: `/a/x.log` for `/a/x.log.1`. */
export function rotatedFrom(path: string): string | undefined {
  const base = ROTATED.exec(basename(path))?.[1];
  return base === undefined ? undefined : join(dirname(path), base);
}

/**
 * Older generations first, the file at the path itself last. Among rotated names, the file that was written
 * last is the youngest, because numbers may count up or down. For equal times, short numbers grow with age,
 * and long ones are dates.
 */
export function compareByAge(a: Aged, b: Aged): number {
  const [baseA, suffixA] = partsOf(a.path);
  const [baseB, suffixB] = partsOf(b.path);
  if (baseA !== baseB) return baseA < baseB ? -1 : 1;
  if (suffixA === suffixB) return 0;
  if (suffixA === '' || suffixB === '') return suffixA === '' ? 1 : -1;
  if (a.modifiedUnixMs !== b.modifiedUnixMs) return a.modifiedUnixMs - b.modifiedUnixMs;
  if (isCount(suffixA) && isCount(suffixB)) return Number(suffixB) - Number(suffixA);
  return suffixA < suffixB ? -1 : 1;
}

/** Whether both are generations of one path, and `a` is younger. */
export function isYoungerByName(a: Aged, b: Aged): boolean {
  return partsOf(a.path)[0] === partsOf(b.path)[0] && compareByAge(a, b) > 0;
}

interface Aged {
  readonly path: string;
  readonly modifiedUnixMs: number;
}

function partsOf(path: string): readonly [base: string, suffix: string] {
  const [, , suffix = ''] = ROTATED.exec(basename(path)) ?? [];
  return [rotatedFrom(path) ?? path, suffix];
}

function isCount(suffix: string): boolean {
  return /^\d{1,4}$/.test(suffix);
}
