import type { LogRecord } from './log-record.ts';

/**
 * The records of a batch that a filter has changed, ascending by index. The bytes of the batch stay as they were
 * received: positions, ranges and the other records do not change.
 *
 * A record that became several shares its bytes among them: the first ones have one byte each, the last one has
 * the rest. So each of them is a record of the batch with a position of its own.
 *
 *     before   sizes [ 9, 20,            7 ]
 *     split    sizes [ 9, 1, 1, 18,      7 ]     changed: indexes 1, 2, 3
 */
export interface ChangedColumn {
  /** Absent or empty: no record was changed. */
  readonly changed?: readonly ChangedRecord[];
}

export interface ChangedRecord {
  readonly index: number;
  readonly record: LogRecord;
  /** An output of bodies writes `record.body`. Otherwise it writes the bytes of the record. */
  readonly hasOwnBody: boolean;
}

/** The column of the records `[from, to)`. */
export function sliceChanged({ changed }: ChangedColumn, from: number, to: number): ChangedColumn {
  if (changed === undefined) return {};
  const kept = changed
    .filter(({ index }) => index >= from && index < to)
    .map((each) => ({ ...each, index: each.index - from }));
  return { changed: kept };
}

/** Finds the changed record of an index. The indexes must be ascending. */
export function changedInOrder({
  changed = NONE,
}: ChangedColumn): (index: number) => ChangedRecord | undefined {
  let next = 0;
  return (index) => {
    while ((changed[next]?.index ?? index) < index) next++;
    const found = changed[next];
    return found?.index === index ? found : undefined;
  };
}

const NONE: readonly ChangedRecord[] = [];
