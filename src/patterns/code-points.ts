/**
 * A set of code points as sorted ranges that do not touch, first and last included. Surrogates are never in
 * a set: stored text has none.
 */
export type CodePoints = readonly (readonly [first: number, last: number])[];

export const LAST_CODE_POINT = 0x10ffff;
const SURROGATES = [0xd800, 0xdfff] as const;

export function codePointsOf(ranges: CodePoints): CodePoints {
  const sorted = ranges.flatMap(withoutSurrogates).toSorted(([a], [b]) => a - b);
  const merged: [number, number][] = [];
  for (const [first, last] of sorted) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

export function complement(set: CodePoints): CodePoints {
  const ranges: [number, number][] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (first > next) ranges.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= LAST_CODE_POINT) ranges.push([next, LAST_CODE_POINT]);
  return codePointsOf(ranges);
}

/** Adds the other case of the letters A to Z. Other letters keep their case. */
export function foldCase(set: CodePoints): CodePoints {
  const others = set.flatMap(([first, last]) => [
    ...shifted(first, last, { from: 'a', to: 'z', by: -CASE_DISTANCE }),
    ...shifted(first, last, { from: 'A', to: 'Z', by: CASE_DISTANCE }),
  ]);
  return codePointsOf([...set, ...others]);
}

export function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

export function rangeOf(from: string, to: string): readonly [number, number] {
  return [codePoint(from), codePoint(to)];
}

const CASE_DISTANCE = 32;

export const DIGITS: CodePoints = [rangeOf('0', '9')];
export const WORD: CodePoints = codePointsOf([
  rangeOf('a', 'z'),
  rangeOf('A', 'Z'),
  rangeOf('0', '9'),
  rangeOf('_', '_'),
]);
export const BLANKS: CodePoints = codePointsOf([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);
export const LINE_ENDS: CodePoints = codePointsOf([
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]);
export const ANY: CodePoints = codePointsOf([[0, LAST_CODE_POINT]]);

interface Shift {
  readonly from: string;
  readonly to: string;
  readonly by: number;
}

function shifted(first: number, last: number, { from, to, by }: Shift): CodePoints {
  const low = Math.max(first, codePoint(from));
  const high = Math.min(last, codePoint(to));
  return low <= high ? [[low + by, high + by]] : [];
}

function withoutSurrogates([first, last]: readonly [number, number]): CodePoints {
  if (last < SURROGATES[0] || first > SURROGATES[1]) return [[first, last]];
  const below: CodePoints = first < SURROGATES[0] ? [[first, SURROGATES[0] - 1]] : [];
  const above: CodePoints = last > SURROGATES[1] ? [[SURROGATES[1] + 1, last]] : [];
  return [...below, ...above];
}
