import type { Rejected } from '../../emitters/outcome.ts';
import { asDeadLetters, halve, type QueuedBatch, type QueuedDeadLetter, setAside } from './queued-batch.ts';

/** The next step after an emitter has rejected a batch. */
export type RejectionDecision =
  /** Emit these next, in this order: the rest of the batch, or its halves. */
  | { readonly kind: 'emit'; readonly pieces: readonly QueuedBatch[] }
  /** Every record of the batch was named, so none is left to emit. */
  | { readonly kind: 'pass'; readonly rest: QueuedBatch }
  /** The batch is a single record. Its dead letters are unconfirmed until a later delivery succeeds. */
  | { readonly kind: 'isolated'; readonly letters: readonly QueuedDeadLetter[] }
  /** The destination is the likely cause, not the records: no unconfirmed dead letter may be kept. */
  | { readonly kind: 'blame-destination'; readonly reason: string }
  /** The dead letters do not fit into their store. */
  | { readonly kind: 'store-full'; readonly reason: string };

/**
 * Decides what follows when an emitter rejects a batch.
 *
 *     the emitter names records         those become dead letters, the rest is emitted again
 *     it names none, several records    the batch is halved, so that single records remain in the end
 *     it names none, one record         a dead letter, unconfirmed until a later delivery succeeds
 *     16 of those in a row              the destination is the likely cause
 *
 * Each record that becomes a dead letter must fit into the dead letter store.
 */
export class Rejections {
  readonly #hasRoomFor: (letters: readonly QueuedDeadLetter[]) => boolean;
  /** Single records that were rejected since the last delivery. */
  #isolatedInARow = 0;

  constructor(hasRoomFor: (letters: readonly QueuedDeadLetter[]) => boolean) {
    this.#hasRoomFor = hasRoomFor;
  }

  /** A batch was delivered, so the destination accepts records. */
  delivered(): void {
    this.#isolatedInARow = 0;
  }

  decide(queued: QueuedBatch, outcome: Rejected): RejectionDecision {
    const { reason } = outcome;
    const named = namedRecords(outcome, queued.batch.recordCount);
    if (named.length > 0) return this.#withoutNamed(setAside(queued, named, reason), reason);
    return queued.batch.recordCount > 1
      ? { kind: 'emit', pieces: halve(queued) }
      : this.#isolated(queued, reason);
  }

  #withoutNamed(rest: QueuedBatch, reason: string): RejectionDecision {
    if (!this.#hasRoomFor(rest.deadLetters)) return storeFull(reason);
    return rest.batch.recordCount > 0 ? { kind: 'emit', pieces: [rest] } : { kind: 'pass', rest };
  }

  #isolated(queued: QueuedBatch, reason: string): RejectionDecision {
    this.#isolatedInARow++;
    if (this.#isolatedInARow >= MAX_ISOLATED_REJECTIONS) return blameDestination(reason);
    const letters = asDeadLetters(queued, reason);
    return this.#hasRoomFor(letters) ? { kind: 'isolated', letters } : storeFull(reason);
  }
}

/** This many isolated rejections without a delivery in between indicate a faulty destination. */
const MAX_ISOLATED_REJECTIONS = 16;

function blameDestination(reason: string): RejectionDecision {
  return {
    kind: 'blame-destination',
    reason: `${MAX_ISOLATED_REJECTIONS} single records in a row were rejected, so the destination seems to be faulty: ${reason}`,
  };
}

function storeFull(reason: string): RejectionDecision {
  return { kind: 'store-full', reason: `The dead letter store is full: ${reason}` };
}

/** The valid ones among the indexes that an emitter named: ascending, unique, within the batch. */
function namedRecords({ records = [] }: Rejected, recordCount: number): number[] {
  const valid = records.filter((index) => Number.isInteger(index) && index >= 0 && index < recordCount);
  return [...new Set(valid)].sort((a, b) => a - b);
}
