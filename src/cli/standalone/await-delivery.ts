import { NOTHING_READ } from '../../collector/one-shot-report.ts';
import { repeat } from '../../runtime/async/repeat.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { OneShotEnd } from '../one-shot/one-shot-summary.ts';
import { count } from '../output/text-table.ts';

/**
 * For a run that ends by itself: calls `fail` when records are queued and neither half makes progress for
 * `timeoutMs`. Without this, a destination that rejects everything would keep the run waiting without an end.
 */
export function awaitDelivery(options: AwaitDeliveryOptions): Cancel {
  const { report, clock, timeoutMs, fail } = options;
  let last: OneShotEnd = NOTHING_READ;
  let lastProgressMs = clock.monotonicMs();
  const cancel = repeat(clock, CHECK_INTERVAL_MS, check);
  return cancel;

  function check(): void {
    const nowMs = clock.monotonicMs();
    const current = report();
    if (hasProgress(last, current)) lastProgressMs = nowMs;
    last = current;
    if (nowMs - lastProgressMs < timeoutMs) return;
    cancel();
    fail(undeliveredError(current, options));
  }
}

const CHECK_INTERVAL_MS = 500;

interface AwaitDeliveryOptions {
  readonly report: () => OneShotEnd;
  /** The emitters that deliver nothing at the moment. */
  readonly lateEmitters: () => readonly string[];
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly fail: (error: Error) => void;
}

/** A run that has delivered everything ends by itself: it does not wait. */
function hasProgress(
  last: OneShotEnd,
  { accepted, undeliveredRecords = 0, rejectedRecords }: OneShotEnd,
): boolean {
  return (
    undeliveredRecords === 0 ||
    undeliveredRecords !== last.undeliveredRecords ||
    accepted.bytes !== last.accepted.bytes ||
    rejectedRecords !== last.rejectedRecords
  );
}

function undeliveredError(
  { undeliveredRecords = 0 }: OneShotEnd,
  { lateEmitters, timeoutMs }: AwaitDeliveryOptions,
): Error {
  const names = lateEmitters();
  const late = names.length === 0 ? '' : ` (${names.join(', ')})`;
  return new Error(
    `Cannot deliver ${count(undeliveredRecords)} queued records: no progress within ${timeoutMs / 1000} s${late}. ` +
      'They stay in the state directory. Correct the destination and run the command again, or wait longer with --aggregator-timeout.',
  );
}
