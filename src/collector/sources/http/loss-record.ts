import type { Loss } from '../../journal/loss.ts';

/** The source rejects what has no room, so it drops nothing; the journal requires the record all the same. */
export function lossRecord({ records, bytes, fromUnixMs, toUnixMs }: Loss): Uint8Array {
  const from = new Date(fromUnixMs).toISOString();
  const message = `mega-collector lost ${records} records of ${bytes} bytes from ${from}`;
  const time = new Date(toUnixMs).toISOString();
  return Buffer.from(`${JSON.stringify({ time, level: 'warn', message })}\n`);
}
