/** A mistake in a filter, with its place; line and column count from 1. */
export interface FilterProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The reason and what is expected, for a person. */
  readonly reason: string;
}

/** `web.filter:3:5: expected ...` */
export function problemText({ file, line, column, reason }: FilterProblem): string {
  return `${file}:${line}:${column}: ${reason}`;
}

/** Ends the reading of a filter, or of one of its statements. */
export class FilterProblemError extends Error {
  override readonly name = 'FilterProblemError';
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(reason);
    this.offset = offset;
  }
}

/** The line and the column of an offset. */
export function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
