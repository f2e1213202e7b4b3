import type { Clock } from '../../runtime/clock.ts';
import type { CursorCommit, QueueCursor } from '../../storage/queue-contract.ts';
import { isBefore, laterOf } from './cursor-order.ts';
import type { PlacedAmount, Settlement } from './group.ts';
import { retryDelayMs } from './retry-delay.ts';

const FIRST_DELAY_MS = 1_000;

export interface CommitterOptions {
  readonly cursor: QueueCursor;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onCommitted: (settlement: Settlement) => void;
  /** It will be tried again after `delayMs`. */
  readonly onFailed: (error: unknown, delayMs: number) => void;
}

/**
 * Moves the cursor, one commit after another, behind the back of delivery: while one is on its way to the disk the next
 * group is emitted already. What an emitter has flushed is never emitted again while the process lives, so a commit that
 * fails is tried until it works.
 */
export class Committer {
  readonly #options: CommitterOptions;
  #running: Promise<void> = Promise.resolve();
  /** A commit was given up at the end; a later one must not move the cursor over it. */
  #isBroken = false;
  #problem: string | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Why the commit that is under way has failed so far. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when the commit before is done and this one has begun. */
  async commit(settlement: Settlement, signal: AbortSignal): Promise<void> {
    await this.#running;
    if (!this.#isBroken) this.#running = this.#persist(settlement, signal);
  }

  /** Resolves when nothing is under way any more; false when a commit had to be given up. */
  async settled(): Promise<boolean> {
    await this.#running;
    return !this.#isBroken;
  }

  async #persist(settlement: Settlement, signal: AbortSignal): Promise<void> {
    const { cursor, clock, random, onCommitted, onFailed } = this.#options;
    for (let failures = 1; ; failures++) {
      try {
        await cursor.commit(commitOf(settlement, cursor));
        break;
      } catch (error) {
        this.#problem = error instanceof Error ? error.message : String(error);
        const delayMs = retryDelayMs({ failures, baseMs: FIRST_DELAY_MS, random });
        onFailed(error, delayMs);
        await clock.sleep(delayMs, signal).catch(() => undefined);
        if (signal.aborted) {
          this.#isBroken = true;
          return;
        }
      }
    }
    this.#problem = undefined;
    onCommitted(settlement);
  }
}

/** Of what the queue has dropped in the meantime (and counted as discarded) nothing is to be said any more. */
function commitOf(settlement: Settlement, { committed }: QueueCursor): CursorCommit {
  const isStillOurs = ({ at }: { at: CursorCommit['point'] }) => !isBefore(at, committed);
  const deadLetters = [
    ...settlement.deadLetters.filter(isStillOurs).map(({ letter }) => letter),
    ...settlement.rejectedAgain,
  ];
  const discarded = sum(settlement.discarded.filter(isStillOurs));
  return {
    point: laterOf(settlement.point, committed),
    ...(settlement.state !== undefined && { state: settlement.state }),
    ...(deadLetters.length > 0 && { deadLetters }),
    ...(discarded.records > 0 && { discarded }),
    ...(settlement.replayed.length > 0 && { replayed: settlement.replayed }),
  };
}

function sum(amounts: readonly PlacedAmount[]): { records: number; bytes: number } {
  return amounts.reduce(
    (total, { records, bytes }) => ({ records: total.records + records, bytes: total.bytes + bytes }),
    { records: 0, bytes: 0 },
  );
}
