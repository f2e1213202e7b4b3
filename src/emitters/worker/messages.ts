import type { Batch } from '../../records/batch.ts';
import type { SqlStatement } from '../../store/sql/sql.ts';
import type { RunOptions, SqlErrorKind, SqlRow } from '../../store/sql/sql-database.ts';
import type { EmitterState, FlushOutcome } from '../emitter.ts';
import type { Outcome } from '../outcome.ts';

/** What an emitter's thread is started with. */
export interface ThreadData {
  /** The emitter type's name; the thread has the same registry. */
  readonly type: string;
  readonly configuration: unknown;
  readonly name: string;
  readonly state: EmitterState | undefined;
  readonly stateDirectory: string;
  readonly logLevel: string;
  readonly stdoutIsTerminal: boolean;
}

/** The calls of an emitter. One at a time but for `reopen`, so each answer carries its call's number. */
export type EmitterCall =
  | { readonly name: 'start' | 'flush' | 'committed' | 'reopen' | 'stop' }
  | { readonly name: 'emit'; readonly batch: Batch };

/** To the thread. */
export type ToThread =
  | { readonly kind: 'call'; readonly id: number; readonly call: EmitterCall }
  /** The signal of this call has aborted. */
  | { readonly kind: 'abort'; readonly id: number }
  /** Nothing more will be asked: the thread ends when it has nothing left to do. */
  | { readonly kind: 'end' }
  /** For the store's database; beside the calls, any number at a time. */
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly statements: readonly SqlStatement[];
      readonly options: RunOptions;
    }
  /** What the thread printed has been written; `error`: or has not. */
  | { readonly kind: 'printed'; readonly error: PrintError | undefined };

export interface PrintError {
  readonly code: string | undefined;
  readonly message: string;
}

/** From the thread. */
export type FromThread =
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: Outcome | FlushOutcome | undefined }
  /** The call threw. */
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  /** What a `run` has brought. */
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly (readonly SqlRow[])[] }
  | {
      readonly kind: 'run-failed';
      readonly id: number;
      readonly error: { readonly kind: SqlErrorKind; readonly message: string };
    }
  /** For standard output; the next waits until this is `printed`. */
  | { readonly kind: 'print'; readonly bytes: Uint8Array }
  /** A line of the thread's logger. */
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'metrics'; readonly metrics: readonly ThreadMetric[] };

/** A counter or a gauge as prom-client renders it. */
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
 * A batch that can be moved to the thread without a second copy. A slice may be a small part of a large buffer, and a
 * clone would take all of it along: so each is copied once, alone.
 */
export function movableBatch(batch: Batch): { batch: Batch; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = [];
  const slices = batch.slices.map((slice) => {
    const data = new Uint8Array(slice.data);
    const sizes = new Uint32Array(slice.sizes);
    transfer.push(data.buffer, sizes.buffer);
    return { ...slice, data, sizes };
  });
  return { batch: { ...batch, slices }, transfer };
}
