import type { Sql } from './sql.ts';

/** A key in `attributes`, or keys of nested objects, the outermost first. Each key reaches the database as a value. */
export type AttributePath = string | readonly string[];

/**
 * The few things that the back ends say differently. Everything else is SQL that all of them read.
 *
 * Times cross as whole microseconds since 1970 (a number): `timestamp` makes a time of such a value, `unixMicro` such a
 * value of a time.
 *
 * What is made with a value in it (an attribute, a bucket) is another expression each time it is written, to a database:
 * group and order by its place (`group by 1`), not by writing it twice.
 */
export interface SqlDialect {
  readonly name: 'duckdb' | 'postgres';
  /** Selects the `name`s that the store has noted (`own-names.ts`); absent: its writers may be of versions that note none. */
  readonly ownNames?: Sql;
  timestamp(unixMicro: Sql | number): Sql;
  unixMicro(timestamp: Sql): Sql;
  /** The beginning of the bucket of `periodMs` that a time lies in, counted from 1970; a time. */
  bucket(timestamp: Sql, periodMs: number): Sql;
  /** A time as people read it: RFC 3339 in UTC, to the microsecond. */
  timeText(timestamp: Sql): Sql;
  /** The attribute at this path, as text; null when it is absent, null, or not a single value (an object, a list). */
  attributeText(column: Sql, path: AttributePath): Sql;
  /** The same as a number, be it a JSON number or a text that is a plain decimal (`0.005`); null when it is none. */
  attributeNumber(column: Sql, path: AttributePath): Sql;
  /** Whether the attribute at this path has a value that JavaScript shows as this text; a boolean, or null for no. */
  attributeEquals(column: Sql, path: AttributePath, shown: string): Sql;
  /** Whether there is an attribute at this path, of whatever value; a boolean, or null for no. */
  attributeExists(column: Sql, path: AttributePath): Sql;
  /** Whether the outermost object has any of these keys, where this is cheaper than the look at each path. */
  hasAnyKey?(column: Sql, keys: readonly string[]): Sql;
  /** Each name in the outermost object, one row for each: only as an expression of a select. */
  attributeKeys(column: Sql): Sql;
  /**
   * Whether a text holds another, whatever the case (of A to Z; of other letters as far as the database knows it). `part`
   * is a value, and nothing in it means anything special.
   */
  containsText(text: Sql, part: string): Sql;
  /** The part of a text between its first and second slash: `/api/users` is in section `api`. */
  section(text: Sql): Sql;
  /** The value below which this part of the values lies, between them where there is none. */
  percentile(value: Sql, fraction: number): Sql;
}
