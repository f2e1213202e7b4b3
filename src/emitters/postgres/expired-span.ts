/** A partition or chunk older than the retention. */
export interface ExpiredSpan {
  /** A unique name for messages. */
  readonly name: string;
  /** Its name in SQL statements. */
  readonly table: string;
  readonly drop: { readonly text: string; readonly values: readonly unknown[] };
}
