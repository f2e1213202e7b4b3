import { z } from 'zod';

/**
 * The progress of a metric.
 *
 * - `flushes`: for each writer the last of its flushes whose records are in the points (if their buckets were
 * complete). The flushes of a writer are sequential, so one number for each is sufficient.
 * - `[since, until)`: the computed buckets, in seconds since 1970.
 * - `setAside`: those of them that the database cannot compute; absent in the state of earlier versions.
 */
const watermark = z.object({
  flushes: z.record(z.string(), z.number()),
  since: z.int(),
  until: z.int(),
  setAside: z.array(z.object({ bucket: z.int(), reason: z.string() })).optional(),
});
export type Watermark = Readonly<z.infer<typeof watermark>>;

/** undefined: there is no valid watermark; then everything is computed again. */
export function parseWatermark(text: string | null): Watermark | undefined {
  if (text === null) return undefined;
  try {
    return watermark.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A writer that has flushed in the meantime: `(after, last]`. */
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
