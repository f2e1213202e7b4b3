import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Amount, NOTHING, plus } from '../../src/records/amount.ts';
import type { WrittenLog } from './chaos-writer.ts';
import { numberedLine } from './numbered-line.ts';

/**
 * Drops a tenth of the numbered lines, changes another tenth without changing their length, and splits another tenth
 * at the blanks: as lines, the parts have the length of the whole.
 */
const TEXT = `drop if body ~ "^[^ ]+ [0-9]{8}3 "
if body ~ "^[^ ]+ [0-9]{8}5 " { body := replace(body, " ", "_") }
if body ~ "^[^ ]+ [0-9]{8}7 [^ ]" { split body by " " }
`;

/** Writes the filter; returns the variables of the aggregator that uses it for all emitters. */
export async function layOutFilter(directory: string): Promise<Readonly<Record<string, string>>> {
  const filters = join(directory, 'filters');
  await mkdir(filters, { recursive: true });
  await writeFile(join(filters, 'default.filter'), TEXT);
  return { AGGREGATOR_FILTER_DIRECTORY: filters };
}

export function isDropped(number: number): boolean {
  return number % 10 === 3;
}

/** A changed line as it was written. undefined: the filter must change or split it, and has not. */
export function restored(line: string): string | undefined {
  if (/^[^ _]+_\d{8}5_/.test(line)) return line.replaceAll('_', ' ');
  return /^[^ ]+ \d{8}(?:5 |7 [^ ])/.test(line) ? undefined : line;
}

/** The numbered lines that the filter drops. */
export function droppedOf(written: readonly WrittenLog[]): Amount {
  let dropped = NOTHING;
  for (const { name, first = 0, lines } of written) {
    for (let number = first; number < first + lines; number++) {
      if (isDropped(number))
        dropped = plus(dropped, { records: 1, bytes: numberedLine(name, number).length });
    }
  }
  return dropped;
}
