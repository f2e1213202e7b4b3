import type { Amount } from '../../records/amount.ts';
import { plus } from '../../records/amount.ts';
import type { Cursors } from './cursors.ts';
import { QueueError } from './queue-contract.ts';
import type { QueueIndex } from './queue-index.ts';
import type { CursorRow } from './queue-tables.ts';

/**
 * Compares redundant rows: the newest entry with the totals, and each cursor with the entry that it points
 * at. A cursor that is too far ahead would silently skip records. Throws a QueueError.
 */
export function assertIndexFits(index: QueueIndex, cursors: Cursors): void {
  const newest = index.row(index.next - 1);
  if (newest !== undefined && !isSame(plus(newest.before, newest), index.accepted)) {
    throw new QueueError(
      `The queue's index is damaged: entry ${index.next - 1} is not the last one of the totals`,
    );
  }
  for (const emitter of cursors.emitters) {
    const row = cursors.row(emitter);
    if (row === undefined || fits(row, index)) continue;
    throw new QueueError(
      `The queue's index is damaged: the cursor of ${emitter} does not fit entry ${row.entry}, at which it is`,
    );
  }
}

function fits({ entry, record, offset, acceptedBefore }: CursorRow, index: QueueIndex): boolean {
  if (entry < index.firstRow || entry > index.next) return false;
  const row = index.row(entry);
  if (record > (row?.records ?? 0) || offset > (row?.bytes ?? 0)) return false;
  return (
    acceptedBefore === undefined ||
    isSame(acceptedBefore, index.amountBefore({ entry, record: 0, offset: 0 }))
  );
}

function isSame(a: Amount, b: Amount): boolean {
  return a.records === b.records && a.bytes === b.bytes;
}
