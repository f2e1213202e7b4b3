import type { CompiledPattern } from '../patterns/compile-pattern.ts';
import type { Property } from './property.ts';

/**
 * A condition on a record, as a checked tree. The same tree becomes a function (`compile-expression.ts`) and
 * SQL (`logstore/sql/expression-sql.ts`), and both select the same records.
 *
 * A test of a property is true if any value of the record under this name passes it: the value of a column,
 * the value of an attribute, each element of a list. A property without a value passes no test. `not` is the
 * opposite: so `a != 1` is `not a == 1`, and is true for a record without `a`.
 */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Expression[] }
  | { readonly kind: 'not'; readonly term: Expression }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'exists'; readonly property: Property }
  | { readonly kind: 'test'; readonly property: Property; readonly test: ValueTest };

/** Tests of a value, by its type; a test that is absent is false. */
export interface ValueTest {
  /** Tests texts and booleans (`true`, `false`). */
  readonly text?: TextTest | undefined;
  /** Tests the digits of a number. */
  readonly digits?: TextTest | undefined;
  readonly number?: NumberTest | undefined;
  /** Tests a text that is a decimal number. */
  readonly decimal?: NumberTest | undefined;
  /** Tests a time, in microseconds since 1970. */
  readonly time?: NumberTest | undefined;
}

export type TextTest =
  | { readonly kind: 'equals'; readonly texts: readonly string[] }
  | { readonly kind: 'compare'; readonly operator: Ordering; readonly text: string }
  | { readonly kind: 'contains' | 'starts_with' | 'ends_with'; readonly text: string }
  | { readonly kind: 'matches'; readonly pattern: CompiledPattern };

export type Ordering = '<' | '<=' | '>' | '>=';

/** Any of these ranges. */
export type NumberTest = readonly NumberRange[];

export interface NumberRange {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly isMinExcluded?: boolean;
  readonly isMaxExcluded?: boolean;
}
