import type { Amount } from '../../records/amount.ts';
import type { StreamId } from '../../records/stream-id.ts';
import { type EntryNumber, QueueError } from './queue-contract.ts';
import type { EntryRow } from './queue-tables.ts';

/** An entry of the queue is unreadable: an emitter whose cursor is at it waits until an operator decides. */
export class CorruptQueueEntryError extends QueueError {
  override readonly name = 'CorruptQueueEntryError';
  readonly entry: EntryNumber;
  readonly path: string;
  readonly stream: StreamId;
  /** The records that are lost with it. */
  readonly amount: Amount;

  constructor(entry: EntryNumber, row: EntryRow, path: string, cause: Error) {
    super(
      `Entry ${entry} of the queue is damaged (${row.records} records of stream ${row.stream} in ${path}): ` +
        `${cause.message}. Restore the file, or skip the entry: mega-collector emitters skip NAME`,
      { cause },
    );
    this.entry = entry;
    this.path = path;
    this.stream = row.stream;
    this.amount = { records: row.records, bytes: row.bytes };
  }
}
