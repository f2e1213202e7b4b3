import type { Batch } from '../../records/batch.ts';
import type { Emitter } from '../emitter.ts';
import type { FilteredAmount, Outcome } from '../outcome.ts';
import { forwardingEmitter } from './forwarding-emitter.ts';

/** A decorator that passes each batch through `stage`. */
export function stagedEmitter(stage: BatchStage): (emitter: Emitter) => Emitter {
  if (stage === identityStage) return (emitter) => emitter;
  return (emitter) =>
    forwardingEmitter(emitter, {
      emit: async (batch, signal) => {
        const staged = stage(batch);
        const counted = staged.filtered === undefined ? {} : { filtered: staged.filtered };
        if (!hasWork(staged, emitter)) return { kind: 'delivered', isSkipped: true, ...counted };
        const outcome = await emitter.emit(staged.batch, signal);
        return outcome.kind === 'delivered' ? { ...outcome, ...counted } : inOriginal(outcome, staged);
      },
    });
}

/**
 * The stage between the cursor and the emitter: receives a batch of the queue and returns the batch to emit.
 * It must be a pure function of the batch, since the same records may be emitted again: after a failure, a
 * crash, or as a replay of a dead letter.
 *
 * It may change records and leave records out, but must keep their order.
 */
export type BatchStage = (batch: Batch) => StagedBatch;

export interface StagedBatch {
  /** Without records: nothing is emitted. */
  readonly batch: Batch;
  /** The index of each record in the original batch; undefined if no record was left out. */
  readonly originalIndexes?: ArrayLike<number>;
  /** The records that were dropped, by slice of the original batch. */
  readonly filtered?: readonly FilteredAmount[];
}

/** Stores also receive a batch without records, for the ranges of the dropped ones. */
function hasWork({ batch }: StagedBatch, { database }: Emitter): boolean {
  return batch.recordCount > 0 || (batch.dropped !== undefined && database !== undefined);
}

/** Emits every batch as it is. */
export const identityStage: BatchStage = (batch) => ({ batch });

/** Delivery knows records by their indexes in the original batch. */
function inOriginal(outcome: Outcome, { originalIndexes, filtered }: StagedBatch): Outcome {
  if (outcome.kind === 'retry' && filtered !== undefined)
    return { ...outcome, staged: { kept: [...new Set(Array.from(originalIndexes ?? []))], filtered } };
  if (outcome.kind !== 'rejected' || outcome.records === undefined) return outcome;
  if (originalIndexes === undefined) return outcome;
  // The parts of a split record have the same index.
  const records = new Set(outcome.records.flatMap((index) => originalIndexes[index] ?? []));
  return { ...outcome, records: [...records] };
}
