import type { PatternVerdict } from '../patterns/compile-pattern.ts';
import type { LogRecord } from '../records/log-record.ts';
import type { Resource } from '../records/resource.ts';
import type { FilterErrors } from './filter-errors.ts';

/**
 * A compiled filter. It is a pure function of the record, its resource, its observed time and the tables: the
 * same record always gets the same result.
 */
export interface FilterProgram {
  /** The name of the file without its ending. */
  readonly name: string;
  /**
   * The part of a record that it needs.
   *
   * - `resource`: only the resource; `decide` never returns `run`.
   * - `bytes`: also stream and position of each record, but not its content.
   * - `fields`: the parsed record.
   */
  readonly reads: FilterReads;
  /**
   * Decides about all records with this resource. `run`: the program reads more than the resource, and decides about
   * each record.
   */
  decide(resource: Resource): 'keep' | 'drop' | 'run';
  run(record: LogRecord): FilterResult;
  /** Emitters that `route` names; undefined: the filter has no `route`. */
  readonly routes: ReadonlySet<string> | undefined;
  readonly errors: FilterErrors;
  readonly facts: FilterFacts;
}

export type FilterReads = 'resource' | 'bytes' | 'fields';

export type FilterResult =
  /** The record as it is. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'dropped' }
  /** One record, or the parts of a split one with `part` 0, 1, ... A part that is dropped is left out. */
  | { readonly kind: 'records'; readonly records: readonly LogRecord[] };

/** What the checker found out about a filter. */
export interface FilterFacts {
  readonly patterns: readonly PatternFact[];
  /** The properties that the filter reads and writes, sorted; `cef.*`: names that are known only at run time. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly functions: readonly string[];
  /** The files of `lookup`. */
  readonly lookupFiles: readonly string[];
  readonly warnings: readonly FilterWarning[];
}

export interface PatternFact {
  readonly line: number;
  readonly text: string;
  readonly verdict: PatternVerdict;
}

export interface FilterWarning {
  readonly line: number;
  readonly reason: string;
}
