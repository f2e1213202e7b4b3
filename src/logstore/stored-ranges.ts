import { z } from 'zod';
import type { Range } from '../records/position.ts';
import type { Ranges } from '../records/ranges.ts';

const pairs = z.array(z.tuple([z.int().min(0), z.int().min(0)]));

/** Formats ranges for the table `streams`: `[[0,4096],[8192,9000]]`. */
export function rangesToText(ranges: Ranges): string {
  return JSON.stringify(ranges.map(({ start, end }) => [start, end]));
}

/** Throws for text that we never write: continuing would store records twice. */
export function rangesFromText(text: string): Ranges {
  const ranges: Range[] = [];
  for (const [start, end] of pairsIn(text)) {
    const before = ranges.at(-1)?.end ?? -1;
    if (start <= before || end <= start) throw new Error(DAMAGED);
    ranges.push({ start, end });
  }
  return ranges;
}

const DAMAGED = 'invalid ranges in table "streams"';

function pairsIn(text: string): z.output<typeof pairs> {
  try {
    return pairs.parse(JSON.parse(text));
  } catch {
    throw new Error(DAMAGED);
  }
}
