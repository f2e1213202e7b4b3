/**
 * What became of a batch. The data path returns outcomes; only start-up and corruption throw.
 *
 * - `delivered`: taken by the destination (for good after the next delivered `flush`).
 * - `retry`: the destination cannot take it now: unreachable, slow, refusing us, wrongly configured, full.
 * - `rejected`: the destination will never take this content. Judge content only: authentication, permission, a
 *   missing table or path, TLS and configuration are `retry`.
 *
 * Whatever is not delivered has left no trace: the emitter has taken back what it wrote of that batch.
 */
export type Outcome = Delivered | Retry | Rejected;

export interface Delivered {
  readonly kind: 'delivered';
}

export interface Retry {
  readonly kind: 'retry';
  /** For a person; never holds a secret. */
  readonly reason: string;
  /** The destination said how long to wait (Retry-After). */
  readonly afterMs?: number;
  /** Everything emitted since the last delivered flush is undone as well. */
  readonly undone?: true;
}

export interface Rejected {
  readonly kind: 'rejected';
  readonly reason: string;
  /** The offending records, as indexes into the batch, ascending; absent when the emitter cannot tell. */
  readonly records?: readonly number[];
  /** Everything emitted since the last delivered flush is undone as well. */
  readonly undone?: true;
}

export const DELIVERED: Delivered = { kind: 'delivered' };

export function retry(reason: string, afterMs?: number): Retry {
  return afterMs === undefined ? { kind: 'retry', reason } : { kind: 'retry', reason, afterMs };
}

export function rejected(reason: string, records?: readonly number[]): Rejected {
  return records === undefined ? { kind: 'rejected', reason } : { kind: 'rejected', reason, records };
}
