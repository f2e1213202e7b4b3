import type { CompiledPattern } from '../../patterns/compile-pattern.ts';
import type { FilterRun } from '../filter-run.ts';
import type { FilterTables } from '../filter-tables.ts';
import type { FilterValue } from '../filter-value.ts';

/** A function of the filter language. */
export interface FilterFunction {
  readonly name: string;
  /** As the documentation shows a call. */
  readonly usage: string;
  /** The least and the greatest number of arguments without a name. */
  readonly values: readonly [min: number, max: number];
  /** The names of the other arguments. */
  readonly named: readonly string[];
  /** Throws FilterProblemError for arguments that it cannot use. */
  compile(call: FilterCall): FilterOperation;
}

export type ReadValue = (run: FilterRun) => FilterValue;

export type FilterOperation =
  /** It adds attributes to the record, and returns whether it could. */
  | { readonly kind: 'extract'; readonly run: (run: FilterRun) => boolean }
  /** It returns a value. `run`: as a statement or a condition. */
  | { readonly kind: 'value'; readonly read: ReadValue; readonly run?: (run: FilterRun) => boolean };

/** A call with its arguments, for `FilterFunction.compile`. */
export interface FilterCall {
  readonly tables: FilterTables;
  /** Whether the result is not tested: then a failure is an error, otherwise it is an answer. */
  readonly isStatement: boolean;
  readonly count: number;
  value(index: number): ReadValue;
  named(name: string): ReadValue | undefined;
  /** A constant text. Throws FilterProblemError. */
  text(index: number, what: string): string;
  namedText(name: string): string | undefined;
  number(index: number, what: string): number;
  namedNumber(name: string): number | undefined;
  namedFlag(name: string): boolean;
  /** A regular expression in a constant text. */
  pattern(index: number, flags?: '' | 'i'): CompiledPattern;
  /** A name of the library or of a pattern file, or a text with `%{NAME}`. */
  grokPattern(index: number): CompiledPattern;
  /** The argument `from`, otherwise the body, as a text. */
  source(): (run: FilterRun) => string | undefined;
  /** Without arguments: the default property. */
  valuesOr(property: string): readonly ReadValue[];
  reads(property: string): void;
  writes(name: string): void;
  /** Throws: the arguments cannot be used. */
  fail(reason: string, index?: number): never;
  warn(reason: string): void;
  /** Counts an error at run time, for statements and values. */
  error(run: FilterRun, reason: string, value: FilterValue): void;
}

export const FROM = 'from';
export const PREFIX = 'prefix';
