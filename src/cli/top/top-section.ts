import type { Cell, TableColumn } from '../monitor/terminal/format-table.ts';

/** The part of a frame about one process. */
export interface TopSection {
  readonly lines: readonly string[];
  readonly tables: readonly TopTable[];
}

export interface TopTable {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly Cell[])[];
  /** It is cut if the terminal has too few rows. */
  readonly isLong?: true;
}
