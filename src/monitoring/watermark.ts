import { z } from 'zod';

/**
 * How far a metric has got.
 *
 * - `flushes`: for each writer the last of its flushes whose records are in the points (as far as their buckets were
 *   complete). A writer flushes one after another, so that is one number for each.
 * - `[since, until)`: the buckets that were computed, in seconds since 1970.
 * - `setAside`: those of them that the database cannot compute; absent in what earlier versions wrote.
 */
const watermark = z.object({
  flushes: z.record(z.string(), z.number()),
  since: z.int(),
  until: z.int(),
  setAside: z.array(z.object({ bucket: z.int(), reason: z.string() })).optional(),
});
export type Watermark = Readonly<z.infer<typeof watermark>>;

/** undefined: there is none, or none that can be read. Then all is computed once more. */
export function parseWatermark(text: string | null): Watermark | undefined {
  if (text === null) return undefined;
  try {
    return watermark.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A writer that has flushed since: `(after, last]`. */
export interface News {
  readonly writer: string;
  readonly after: number;
  readonly last: number;
}

export function newsSince(before: Watermark['flushes'], now: Watermark['flushes']): readonly News[] {
  return Object.entries(now)
    .map(([writer, last]) => ({
      writer,
      after: Object.hasOwn(before, writer) ? (before[writer] ?? 0) : 0,
      last,
    }))
    .filter(({ after, last }) => last > after);
}
