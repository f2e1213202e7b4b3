/** A partition or a chunk whose time has passed. */
export interface ExpiredSpan {
  /** For messages, and unique. */
  readonly name: string;
  /** As a statement names it. */
  readonly table: string;
  readonly drop: { readonly text: string; readonly values: readonly unknown[] };
}
