import type { Amount } from '../records/amount.ts';

/**
 * The outcome of a batch. The data path returns outcomes; only start-up and corruption throw.
 *
 * - `delivered`: accepted by the destination (final after the next delivered `flush`).
 * - `retry`: the destination cannot accept it now: unreachable, slow, access denied, misconfigured, full.
 * - `rejected`: the destination never accepts this content. Only for faults of the content: authentication,
 *   permission, a missing table or path, TLS and configuration are `retry`.
 *
 * If a batch is not delivered, nothing of it remains: the emitter has removed the part that it wrote.
 */
export type Outcome = Delivered | Retry | Rejected;

export interface Delivered {
  readonly kind: 'delivered';
  /** No record was left to emit, so this does not show that the destination accepts records. */
  readonly isSkipped?: true;
  /** Records that a filter dropped; absent: none. */
  readonly filtered?: readonly FilteredAmount[];
}

/** The dropped records of one slice of a batch. */
export interface FilteredAmount extends Amount {
  /** The index of the slice. */
  readonly slice: number;
}

export interface Retry {
  readonly kind: 'retry';
  /** For operators; never contains a secret. */
  readonly reason: string;
  /** The wait that the destination requested (Retry-After). */
  readonly afterMs?: number;
  /** Everything emitted since the last delivered flush is rolled back as well. */
  readonly rolledBack?: true;
  /** Absent: a filter has dropped no record of the batch. */
  readonly staged?: StagedRecords;
}

/** The result of a filter for a batch that was not delivered: a dead letter has only the records that it kept. */
export interface StagedRecords {
  /** Indexes in the batch, ascending. */
  readonly kept: readonly number[];
  readonly filtered: readonly FilteredAmount[];
}

export interface Rejected {
  readonly kind: 'rejected';
  readonly reason: string;
  /** Indexes of the rejected records in the batch, ascending; absent if the emitter cannot identify them. */
  readonly records?: readonly number[];
  /** Everything emitted since the last delivered flush is rolled back as well. */
  readonly rolledBack?: true;
}

export const DELIVERED: Delivered = { kind: 'delivered' };

export function retry(reason: string, afterMs?: number): Retry {
  return afterMs === undefined ? { kind: 'retry', reason } : { kind: 'retry', reason, afterMs };
}

export function rejected(reason: string, records?: readonly number[]): Rejected {
  return records === undefined ? { kind: 'rejected', reason } : { kind: 'rejected', reason, records };
}
