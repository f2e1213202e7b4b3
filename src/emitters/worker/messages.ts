import type { SqlStatement } from '../../logstore/sql/sql.ts';
import type { RunOptions, SqlErrorKind, SqlRow } from '../../logstore/sql/sql-database.ts';
import type { Batch } from '../../records/batch.ts';
import type { EmitterState, FlushOutcome } from '../emitter.ts';
import type { FilterErrorReport, FilterSource } from '../filtering/filter-source.ts';
import type { Outcome } from '../outcome.ts';

/** The data that an emitter's thread is started with. */
export interface ThreadData {
  /** The emitter type's name; the thread has the same registry. */
  readonly type: string;
  readonly configuration: unknown;
  readonly name: string;
  readonly state: EmitterState | undefined;
  readonly stateDirectory: string;
  readonly logLevel: string;
  readonly stdoutIsTerminal: boolean;
  readonly filter: FilterSource | undefined;
}

/**
 * The calls of an emitter. `reopen` can run during another call, so each result has the number of its call.
 */
export type EmitterCall =
  | { readonly name: 'start' | 'flush' | 'committed' | 'reopen' | 'stop' }
  | { readonly name: 'emit'; readonly batch: Batch }
  | { readonly name: 'useFilter'; readonly filter: FilterSource | undefined };

/** Messages to the thread. */
export type ToThread =
  | { readonly kind: 'call'; readonly id: number; readonly call: EmitterCall }
  /** The signal of this call has aborted. */
  | { readonly kind: 'abort'; readonly id: number }
  /** No calls follow: the thread ends when it has nothing left to do. */
  | { readonly kind: 'end' }
  /** A query of the store's database; any number at a time, independent of the calls. */
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly statements: readonly SqlStatement[];
      readonly options: RunOptions;
    }
  /** The thread's output is written, or failed with `error`. */
  | { readonly kind: 'printed'; readonly error: PrintError | undefined };

export interface PrintError {
  readonly code: string | undefined;
  readonly message: string;
}

/** Messages from the thread. */
export type FromThread =
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: Outcome | FlushOutcome | undefined }
  /** The call threw. */
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  /** The result of `run`. */
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly (readonly SqlRow[])[] }
  | {
      readonly kind: 'run-failed';
      readonly id: number;
      readonly error: { readonly kind: SqlErrorKind; readonly message: string };
    }
  /** Bytes for standard output; the next ones wait for `printed`. */
  | { readonly kind: 'print'; readonly bytes: Uint8Array }
  /** A line of the thread's logger. */
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'filter-errors'; readonly report: FilterErrorReport }
  | { readonly kind: 'metrics'; readonly metrics: readonly ThreadMetric[] };

/** A counter or gauge in the form of prom-client. */
export interface ThreadMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
  }[];
}

/**
 * Copies a batch so that it can be transferred to the thread without a second copy. A slice can be a small
 * part of a large buffer, and a structured clone would copy the whole buffer.
 */
export function movableBatch(batch: Batch): { batch: Batch; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = [];
  const slices = batch.slices.map((slice) => {
    const data = new Uint8Array(slice.data);
    const sizes = new Uint32Array(slice.sizes);
    transfer.push(data.buffer, sizes.buffer);
    if (slice.recordPeers === undefined) return { ...slice, data, sizes };
    const recordPeers = new Uint32Array(slice.recordPeers);
    transfer.push(recordPeers.buffer);
    return { ...slice, data, sizes, recordPeers };
  });
  return { batch: { ...batch, slices }, transfer };
}
