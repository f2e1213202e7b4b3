import { minus, NOTHING, sumOf } from '../../records/amount.ts';
import type { Cursors } from './cursors.ts';
import type { StoredDeadLetters } from './dead-letters.ts';
import type { EmitterBalance, QueueBalance } from './queue-contract.ts';
import type { QueueIndex } from './queue-index.ts';

/** Accounts for all accepted records from the current state; delivered is the remainder. */
export function balanceOf(
  index: QueueIndex,
  cursors: Cursors,
  deadLetters: StoredDeadLetters,
  diskBytes: number,
): QueueBalance {
  const { accepted } = index;
  const emitters = cursors.emitters.map((emitter): EmitterBalance => {
    const {
      before,
      discarded,
      filtered = NOTHING,
    } = cursors.row(emitter) ?? {
      before: accepted,
      discarded: NOTHING,
    };
    const queued = cursors.queued(emitter, index);
    const deadLettered = deadLetters.amount(emitter);
    const others = sumOf([before, queued, deadLettered, discarded, filtered]);
    return { emitter, before, queued, deadLettered, discarded, filtered, delivered: minus(accepted, others) };
  });
  return { accepted, emitters, diskBytes };
}
