import type { Loss } from '../../journal/loss.ts';

/** The source waits for room, so it drops nothing; the journal requires the record all the same. */
export function lossRecord({ records, bytes, fromUnixMs }: Loss): Buffer {
  const from = new Date(fromUnixMs).toISOString();
  return Buffer.from(`mega-collector lost ${records} messages of ${bytes} bytes from ${from}\n`);
}
