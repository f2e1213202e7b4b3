/** A choice of a select. */
export interface Option<Value extends string> {
  readonly value: Value;
  readonly text: string;
}
