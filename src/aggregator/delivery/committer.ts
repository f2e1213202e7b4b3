import { plus, sumOf } from '../../records/amount.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { isBefore, laterOf } from '../../storage/queue/cursor-order.ts';
import type { CursorCommit, QueueCursor } from '../../storage/queue/queue-contract.ts';
import type { FlushResult } from './flush-group.ts';
import type { Lifecycle } from './lifecycle.ts';
import { retryDelayMs } from './retry-delay.ts';

/**
 * Moves the cursor, one commit after another, in the background: during a commit, delivery already emits the
 * next group. Flushed batches are never emitted again in this process, so a commit that fails is retried
 * until it succeeds.
 */
export class Committer {
  readonly #options: CommitterOptions;
  #running: Promise<void> = Promise.resolve();

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Resolves when the previous commit is done and this one has begun. */
  async commit(result: FlushResult, signal: AbortSignal): Promise<void> {
    const { lifecycle } = this.#options;
    await this.#running;
    const { commits } = lifecycle.on({ kind: 'commit-began', isFlushed: result.emitted.batches > 0 });
    if (commits.kind !== 'abandoned') this.#running = this.#persist(result, signal);
  }

  /** Resolves when no commit is running. */
  whenIdle(): Promise<void> {
    return this.#running;
  }

  async #persist(result: FlushResult, signal: AbortSignal): Promise<void> {
    const { cursor, lifecycle, onCommitted } = this.#options;
    for (let failures = 1; ; failures++) {
      try {
        await cursor.commit(commitOf(result, cursor));
        break;
      } catch (error) {
        if (!(await this.#mayTryAgain(error, failures, signal))) return;
      }
    }
    lifecycle.on({ kind: 'commit-ended' });
    onCommitted(result);
  }

  /** Waits; false when the commit is abandoned. */
  async #mayTryAgain(error: unknown, failures: number, signal: AbortSignal): Promise<boolean> {
    const { lifecycle, clock, random, onFailed } = this.#options;
    const reason = errorMessage(error);
    lifecycle.on({ kind: 'commit-failed', reason });
    const delayMs = retryDelayMs({ failures, baseMs: FIRST_DELAY_MS, random });
    onFailed(error, delayMs);
    await clock.sleep(delayMs, signal).catch(() => undefined);
    if (signal.aborted) lifecycle.on({ kind: 'commit-abandoned' });
    return !signal.aborted;
  }
}

const FIRST_DELAY_MS = 1_000;

export interface CommitterOptions {
  readonly cursor: QueueCursor;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onCommitted: (result: FlushResult) => void;
  /** The next attempt is after `delayMs`. */
  readonly onFailed: (error: unknown, delayMs: number) => void;
}

/** Leaves out records that the queue has dropped in the meantime; the queue counts those as discarded. */
function commitOf(result: FlushResult, { committed }: QueueCursor): CursorCommit {
  const isStillQueued = ({ at }: { at: CursorCommit['point'] }) => !isBefore(at, committed);
  const deadLetters = [
    ...result.deadLetters.filter(isStillQueued).map(({ letter }) => letter),
    ...result.rejectedAgain,
  ];
  const discarded = sumOf(result.discarded.filter(isStillQueued));
  const filtered = plus(sumOf(result.filtered.filter(isStillQueued)), result.filteredOfReplays);
  return {
    point: laterOf(result.point, committed),
    ...(isStillQueued({ at: result.point }) ? {} : { unusedBefore: result.point.entry }),
    ...(result.state !== undefined && { state: result.state }),
    ...(deadLetters.length > 0 && { deadLetters }),
    ...(discarded.records > 0 && { discarded }),
    ...(filtered.records > 0 && { filtered }),
    ...(result.replayed.length > 0 && { replayed: result.replayed }),
  };
}
