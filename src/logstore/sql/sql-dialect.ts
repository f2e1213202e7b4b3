import type { AttributePath } from '../../expressions/attribute-paths.ts';
import type { PatternNode } from '../../patterns/pattern-node.ts';
import type { SketchBit } from '../text/text-sketch.ts';
import type { TimeRange } from '../text/time-ranges.ts';
import type { Sql } from './sql.ts';

export type { AttributePath };

/**
 * The few things that differ between the back ends. Everything else is SQL that all of them understand.
 *
 * Times cross as whole microseconds since 1970 (a number): `timestamp` converts such a number to a time,
 * `unixMicro` a time to such a number.
 *
 * An expression with a value in it (an attribute, a bucket) is a different expression for a database each
 * time it is written: group and order by its index (`group by 1`), not by repeating it.
 */
export interface SqlDialect {
  readonly name: 'duckdb' | 'postgres' | 'clickhouse';
  /**
   * Selects the `name`s that the store has noted (`own-names.ts`); absent: its writers may be of versions
   * that note none.
   */
  readonly ownNames?: Sql;
  /** The store is in rows, without an index of streams: a condition on the stream alone reads everything. */
  readonly isSlowByStream?: boolean;
  /** False: statements run one after another, and the first of them may have an effect alone. */
  readonly hasTransactions?: boolean;
  /** False: the newest records of all hosts are found by reading all times of a span. */
  readonly isSortedByTime?: boolean;
  timestamp(unixMicro: Sql | number): Sql;
  unixMicro(timestamp: Sql): Sql;
  /** The start of the bucket of `periodMs` that contains a time, aligned to 1970; a time. */
  bucket(timestamp: Sql, periodMs: number): Sql;
  /** Formats a time for people: RFC 3339 in UTC, to the microsecond. */
  timeText(timestamp: Sql): Sql;
  /**
   * The attribute at this path, as text; null if it is absent, null, or not a single value (an object, a
   * list).
   */
  attributeText(column: Sql, path: AttributePath): Sql;
  /** The same as a number, from a JSON number or a text that is a plain decimal (`0.005`); otherwise null. */
  attributeNumber(column: Sql, path: AttributePath): Sql;
  /** Whether the attribute at this path has a value that JavaScript shows as this text; a boolean, or null for no. */
  attributeEquals(column: Sql, path: AttributePath, shown: string): Sql;
  /** Whether there is an attribute at this path, with any value; a boolean, or null for no. */
  attributeExists(column: Sql, path: AttributePath): Sql;
  /** Whether the outermost object has any of these keys, if this is cheaper than checking each path. */
  hasAnyKey?(column: Sql, keys: readonly string[]): Sql;
  /** Each name in the outermost object, one row for each; only usable as an expression of a select. */
  attributeKeys(column: Sql): Sql;
  /**
   * Whether a text contains another one; case is ignored (of A to Z; of other letters as far as the database
   * knows it). `part` is a value without special characters.
   */
  containsText(text: Sql, part: string): Sql;
  /**
   * Selects the time ranges that overlap with a range, and in which no body has all of these bits (`from_micro` and
   * `to_micro`, in the order of `from_micro`); absent: the store has no sketches.
   */
  rangesWithoutBits?(bits: readonly SketchBit[], range: TimeRange): Sql;
  /** A text that is a plain decimal (`0.005`), as a double; otherwise null. */
  decimalNumber(text: Sql): Sql;
  /** Whether a text contains another one, with the same case. */
  containsExactly(text: Sql, part: string): Sql;
  startsWith(text: Sql, part: string): Sql;
  endsWith(text: Sql, part: string): Sql;
  /** Whether a text, of which a pattern sees only the beginning, matches the pattern. */
  matchesPattern(text: Sql, pattern: PatternNode): Sql;
  /** Whether a value at this path passes a test, or an element of a list there; a boolean, or null for no. */
  attributePasses(column: Sql, path: AttributePath, tests: AttributeTests): Sql;
  /** The part of a text between its first and second slash: `/api/users` is in section `api`. */
  section(text: Sql): Sql;
  /**
   * The statistic of `count` values; the statement fails if its value is not a number of the range of a double. Absent:
   * the database does this itself.
   */
  inRange?(statistic: Sql, count: Sql): Sql;
  /** The value below which this fraction of the values is, interpolated if necessary. */
  percentile(value: Sql, fraction: number): Sql;
}

/** Conditions on a value in `attributes`, by its JSON type. */
export interface AttributeTests {
  /** Tests a text. */
  readonly text: (text: Sql) => Sql;
  /** Tests `true` or `false`, as a text. */
  readonly boolean: (text: Sql) => Sql;
  /** Tests a number, as a double and as its digits. */
  readonly number: (number: Sql, digits: Sql) => Sql;
  /** Tests an object; the elements of a list are tested instead of the list. */
  readonly object: Sql;
  /** Tests a list, besides its elements. */
  readonly list: Sql;
}
