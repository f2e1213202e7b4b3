/**
 * A byte offset in a stream. 64-bit on the wire; in memory a number, exact up to 2^53 - 1: nine petabytes of
 * one stream. The wire codec rejects larger values.
 */
export type Position = number;

/** `[start, end)` of a stream's bytes; never empty. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}
