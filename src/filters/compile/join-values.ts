import type { FilterRun } from '../filter-run.ts';
import { elementsOf, type FilterValue, textOf } from '../filter-value.ts';
import type { ReadValue } from '../functions/filter-function.ts';

const MAX_TEXT = 1024 * 1024;
const MAX_TEXTS = 1000;

/**
 * The texts of all parts, one after the other; parts without a value are left out. A list among them gives a
 * list: each of its elements is joined with the others.
 */
export function joinValues(parts: readonly ReadValue[], offset: number): ReadValue {
  return (run) => {
    let texts: readonly string[] | undefined;
    let isList = false;
    for (const part of parts) {
      const value = part(run);
      isList ||= Array.isArray(value);
      const others = elementsOf(value).flatMap((each) => textOf(each) ?? []);
      if (others.length === 0) continue;
      if (isTooLarge(texts ?? [''], others)) return tooLarge(run, offset);
      texts = texts?.flatMap((text) => others.map((other) => text + other)) ?? others;
    }
    return isList ? texts : texts?.[0];
  };
}

function isTooLarge(texts: readonly string[], others: readonly string[]): boolean {
  if (texts.length * others.length > MAX_TEXTS) return true;
  const sum = (all: readonly string[]) => all.reduce((length, each) => length + each.length, 0);
  return sum(texts) * others.length + sum(others) * texts.length > MAX_TEXT;
}

function tooLarge(run: FilterRun, offset: number): FilterValue {
  run.error(offset, `the joined text has more than ${MAX_TEXT} characters, or ${MAX_TEXTS} elements`, '');
  return undefined;
}
