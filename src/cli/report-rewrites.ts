import { stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { OneShotReport } from '../collector/one-shot-report.ts';
import { repeat } from '../runtime/async/repeat.ts';
import type { Cancel, Clock } from '../runtime/clock.ts';

/**
 * For `--source FILE --watch`: logs why nothing is added when a program writes the same content to the file again
 * (`cat a > b`). The file has a newer modification time then, but the same size, and no record of it is new.
 */
export function reportRewrites(options: ReportRewritesOptions): Cancel {
  const { path, clock, logger } = options;
  let isCancelled = false;
  let last: Seen | undefined;
  let rewrites = 0;
  const cancel = repeat(clock, CHECK_INTERVAL_MS, check);
  return () => {
    isCancelled = true;
    cancel();
  };

  async function check(): Promise<void> {
    const seen = await look(options);
    if (seen !== undefined && !isCancelled) compare(seen);
  }

  function compare(seen: Seen): void {
    const isSame = seen.sizeBytes === last?.sizeBytes && seen.acceptedRecords === last.acceptedRecords;
    if (!isSame) rewrites = 0;
    if (isSame && seen.modifiedAtMs === last?.modifiedAtMs && rewrites === 0) return;
    // The first check after a change may come before the collector has read it.
    if (isSame && ++rewrites === 2)
      logger.warn({ path }, `Nothing new was written to the file. ${NOTHING_NEW}`);
    last = seen;
  }
}

/** Why content that is written again adds no records, and what to do. */
export const NOTHING_NEW =
  'The same bytes in a file are the same stream, and they are stored once. Append to the file (>>) to add records.';

const CHECK_INTERVAL_MS = 2_000;

interface ReportRewritesOptions {
  readonly path: string;
  readonly report: () => OneShotReport;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Seen {
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  readonly acceptedRecords: number;
}

/** undefined: the file cannot be read, is empty for a moment, or has bytes that are not accepted yet. */
async function look({ path, report }: ReportRewritesOptions): Promise<Seen | undefined> {
  const found = await stat(path).catch(() => undefined);
  const { accepted, remainingBytes } = report();
  if (found === undefined || found.size === 0 || remainingBytes > 0) return undefined;
  return { sizeBytes: found.size, modifiedAtMs: found.mtimeMs, acceptedRecords: accepted.records };
}
