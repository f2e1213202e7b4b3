import { setImmediate } from 'node:timers/promises';
import type { Position } from '../../records/position.ts';
import { type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type { EntryNumber } from './queue-contract.ts';
import type { QueueIndex } from './queue-index.ts';
import type { QueueReader } from './queue-reader.ts';
import type { QueueTables } from './queue-tables.ts';

interface FindRecordParts {
  readonly index: QueueIndex;
  readonly tables: Pick<QueueTables, 'streams'>;
  readonly reader: QueueReader;
}

/**
 * Finds the record at a position of a stream in the entries that the queue still has: a batch with one record.
 * undefined: there is none, or it is not among the newest entries that are looked at. The search begins at the
 * newest entry of the stream; other work of the process continues.
 */
export async function findRecord(
  { index, tables, reader }: FindRecordParts,
  stream: StreamId,
  position: Position,
): Promise<RecordBatch | undefined> {
  const newest = tables.streams.get(stream)?.lastEntry;
  if (newest === undefined) return undefined;
  const oldest = Math.max(index.first, newest - MAX_ENTRIES);
  for (let number: EntryNumber = newest; number >= oldest; number--) {
    if ((newest - number) % STEP === STEP - 1) await setImmediate();
    const row = index.row(number);
    const isThere = row?.stream === stream && row.start <= position && position < row.start + row.bytes;
    if (!isThere) continue;
    const entry = await reader.read(number).catch(() => undefined);
    const found = entry === undefined ? undefined : recordAt(entry.batch, position);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An entry has up to a mebibyte: this is more than most queues have room for. */
const MAX_ENTRIES = 50_000;
const STEP = 500;

/** undefined: no record begins at the position. */
function recordAt(batch: RecordBatch, position: Position): RecordBatch | undefined {
  let offset = 0;
  for (let at = 0; at < batch.sizes.length && batch.start + offset <= position; at++) {
    if (batch.start + offset === position) return sliceRecords(batch, at, at + 1, offset);
    offset += batch.sizes[at] ?? 0;
  }
  return undefined;
}
