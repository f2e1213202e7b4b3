import type { LogRecord } from '../records/log-record.ts';
import type { Resource } from '../records/resource.ts';

/** A compiled filter. It is a pure function of the record and its tables. */
export interface FilterProgram {
  readonly name: string;
  /** What must be known to run it: the resource alone, raw bytes, or parsed fields. */
  readonly reads: 'resource' | 'bytes' | 'fields';
  /** Only for `reads: 'resource'`: decides a whole batch. */
  decide(resource: Resource): 'keep' | 'drop';
  run(record: LogRecord): FilterResult;
  /** Emitters named by route statements; undefined: the program has none. */
  readonly routes: ReadonlySet<string> | undefined;
  readonly errors: FilterErrors;
}

export type FilterResult =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'dropped' }
  /** Several: the record was split. */
  | { readonly kind: 'records'; readonly records: readonly LogRecord[] };

/** What went wrong while a filter ran. Such an error never drops a record. */
export interface FilterErrors {
  readonly total: number;
  /** By line of the filter. */
  readonly byLine: ReadonlyMap<number, number>;
  /** The first ones. */
  readonly samples: readonly FilterErrorSample[];
}

export interface FilterErrorSample {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
  readonly value: string;
}
