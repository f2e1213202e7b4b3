import type { RecordBatch } from '../../records/record-batch.ts';
import { decodeRecordBatch } from '../../records/wire.ts';
import { WireError } from '../../records/wire-error.ts';
import { CorruptEntryError } from '../segments/corrupt-entry-error.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import { CorruptQueueEntryError } from './corrupt-queue-entry-error.ts';
import { type EntryNumber, type QueueEntry, QueueError } from './queue-contract.ts';
import type { QueueIndex } from './queue-index.ts';
import type { EntryRow } from './queue-tables.ts';
import { type Borrower, RecentEntries } from './recent-entries.ts';

/** Reads entries: the newest from memory, the others from their segment. */
export class QueueReader {
  readonly #log: SegmentLog;
  readonly #index: QueueIndex;
  readonly recent: RecentEntries;

  constructor(log: SegmentLog, index: QueueIndex, onUnused: (bytes: Uint8Array) => void) {
    this.#log = log;
    this.#index = index;
    this.recent = new RecentEntries(onUnused);
  }

  /**
   * Reads the entry; undefined when it does not exist. Rejects with a CorruptQueueEntryError when its bytes
   * are damaged, with a QueueError when the disk fails. A borrower returns what it has read: see `RecentEntries`.
   */
  async read(entry: EntryNumber, borrower?: Borrower): Promise<QueueEntry | undefined> {
    const row = this.#index.row(entry);
    if (row === undefined) return undefined;
    const batch = this.recent.get(entry, borrower) ?? (await this.#readFromDisk(entry, row));
    return { number: entry, batch, acceptedTimeUnixNano: BigInt(row.acceptedTimeUnixNano) };
  }

  async #readFromDisk(entry: EntryNumber, row: EntryRow): Promise<RecordBatch> {
    try {
      const batch = decodeRecordBatch(await this.#log.read(row));
      if (batch.stream !== row.stream || batch.start !== row.start || batch.data.length !== row.bytes) {
        throw new WireError('its records do not match the index');
      }
      return batch;
    } catch (error) {
      if (error instanceof CorruptEntryError || error instanceof WireError) {
        throw new CorruptQueueEntryError(entry, row, this.#log.pathOf(row.segment), error);
      }
      throw new QueueError(`Cannot read entry ${entry} of the queue: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}
