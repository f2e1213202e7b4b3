import { z } from 'zod';
import type { Range } from '../records/position.ts';
import type { Ranges } from '../records/ranges.ts';

const pairs = z.array(z.tuple([z.int().min(0), z.int().min(0)]));

/** Ranges as the table `streams` holds them: `[[0,4096],[8192,9000]]`. */
export function rangesToText(ranges: Ranges): string {
  return JSON.stringify(ranges.map(({ start, end }) => [start, end]));
}

/** Throws on what we never wrote: to go on would be to store twice. */
export function rangesFromText(text: string): Ranges {
  const ranges: Range[] = [];
  for (const [start, end] of pairsIn(text)) {
    const before = ranges.at(-1)?.end ?? -1;
    if (start <= before || end <= start) throw new Error(DAMAGED);
    ranges.push({ start, end });
  }
  return ranges;
}

const DAMAGED = 'the table "streams" holds ranges that are none';

function pairsIn(text: string): z.output<typeof pairs> {
  try {
    return pairs.parse(JSON.parse(text));
  } catch {
    throw new Error(DAMAGED);
  }
}
