/** A place in an expression that names a log group: `group("checkout")`. Offsets are in UTF-16 units. */
export interface GroupUse {
  readonly id: string;
  readonly offset: number;
  /** The offset after the closing parenthesis. */
  readonly end: number;
  /** The offset of the id, with its quotes. */
  readonly idOffset: number;
}
