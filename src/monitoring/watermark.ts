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
  setAside: z
    .array(z.object({ bucket: z.int(), reason: z.string() }))
    .readonly()
    .optional(),
});
export type Watermark = Readonly<z.infer<typeof watermark>>;

/**
 * A continuous aggregate of TimescaleDB that has the points of a metric.
 *
 * - `view`: its name in the schema of the store.
 * - `materialized`: schema and name of the table of its computed buckets.
 * - `hash`: of its definition; another version of the program may define it differently.
 */
const aggregate = z.object({
  view: z.string(),
  materialized: z.tuple([z.string(), z.string()]),
  hash: z.string(),
});
export type StoredAggregate = Readonly<z.infer<typeof aggregate>>;

/**
 * The column `watermark` of a metric. Without an aggregate it is the watermark itself. With one, the watermark is inside:
 * earlier versions cannot read it there, so they compute the points again, into the table.
 */
const progressOfAggregate = z.object({ aggregate, position: watermark.nullable() });

export interface Progress {
  readonly aggregate?: StoredAggregate | undefined;
  /** undefined: there is no valid watermark; then everything is computed again. */
  readonly position: Watermark | undefined;
}

const NOTHING: Progress = { position: undefined };

export function parseProgress(text: string | null): Progress {
  if (text === null) return NOTHING;
  try {
    return progressIn(JSON.parse(text));
  } catch {
    return NOTHING;
  }
}

function progressIn(stored: unknown): Progress {
  const { data } = progressOfAggregate.safeParse(stored);
  if (data === undefined) return { position: watermark.safeParse(stored).data };
  return { aggregate: data.aggregate, position: data.position ?? undefined };
}

/** The text for the column; the inverse of `parseProgress`. */
export function progressText({ aggregate: stored, position }: Progress): string {
  if (stored === undefined) return JSON.stringify(position ?? {});
  return JSON.stringify({ aggregate: stored, position: position ?? null });
}

/** undefined: there is no valid watermark; then everything is computed again. */
export function parseWatermark(text: string | null): Watermark | undefined {
  return parseProgress(text).position;
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
