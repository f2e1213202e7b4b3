import type { RecordBatch } from '../../records/record-batch.ts';
import { decodeRecordBatch } from '../../records/wire.ts';
import { WireError } from '../../records/wire-error.ts';
import { CorruptEntryError } from '../segments/corrupt-entry-error.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import { CorruptQueueEntryError } from './corrupt-queue-entry-error.ts';
import { type EntryNumber, type QueueEntry, QueueError } from './queue-contract.ts';
import type { QueueIndex } from './queue-index.ts';
import type { EntryRow } from './queue-tables.ts';

/** Reads entries: the newest from memory, the others from their segment. */
export class QueueReader {
  readonly #log: SegmentLog;
  readonly #index: QueueIndex;
  /** Oldest first. */
  readonly #recent = new Map<EntryNumber, RecordBatch>();
  #recentBytes = 0;

  constructor(log: SegmentLog, index: QueueIndex) {
    this.#log = log;
    this.#index = index;
  }

  /** A batch was appended; keeps it to avoid a read. */
  remember(entry: EntryNumber, batch: RecordBatch): void {
    this.#recent.set(entry, batch);
    this.#recentBytes += batch.data.length;
    for (const [oldest, { data }] of this.#recent) {
      if (this.#recentBytes <= CACHE_BYTES) break;
      this.#recent.delete(oldest);
      this.#recentBytes -= data.length;
    }
  }

  /** All emitters without a backlog have passed the entries before this one: frees their memory. */
  release(before: EntryNumber): void {
    for (const [oldest, { data }] of this.#recent) {
      if (oldest >= before) break;
      this.#recent.delete(oldest);
      this.#recentBytes -= data.length;
    }
  }

  isRecent(entry: EntryNumber): boolean {
    return this.#recent.has(entry);
  }

  /**
   * Reads the entry; undefined when it does not exist. Rejects with a CorruptQueueEntryError when its bytes
   * are damaged, with a QueueError when the disk fails.
   */
  async read(entry: EntryNumber): Promise<QueueEntry | undefined> {
    const row = this.#index.row(entry);
    if (row === undefined) return undefined;
    const batch = this.#recent.get(entry) ?? (await this.#readFromDisk(entry, row));
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

/** Bytes of recently appended records in memory, for emitters without a backlog. */
const CACHE_BYTES = 6 * 1024 * 1024;
