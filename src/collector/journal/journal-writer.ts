import type { Position } from '../../records/position.ts';
import type { Resource } from '../../records/resource.ts';
import type { RecordOrder } from './pending-records.ts';
import type { AppendedRun, RecordLabel } from './record-run.ts';

/**
 * Appends the records of one origin to a journal.
 *
 * A source that can wait stops reading from its peer until there is room:
 *
 *     while (writer.append(record, label) === 'full')
 *       if (!(await writer.whenRoom(record.length, signal))) return;
 *
 * A source that cannot wait drops the record, and the stream reports the loss:
 *
 *     if (writer.append(record, label) === 'full') writer.drop(record.length, label);
 *
 * A peer that waits for an answer gets it when `onFlushed` reports the position that `append` returned, or a
 * later one. `flushSoon` keeps that wait short.
 */
export interface JournalWriter {
  /**
   * Copies the record and returns at once. Returns the end of all records that were appended until now,
   * this one included; or `full`, and nothing is kept. After `close` it always returns `full`.
   *
   * `peer`: the attributes of the sender, besides those of the label. Records with one label and many peers
   * share an entry. Use the same object for the same peer.
   */
  append(record: Uint8Array, label: RecordLabel, peer?: Resource): Position | 'full';
  /** Like `append`, for a record that is the line and LF: the caller need not add it. */
  appendWithLf(line: Uint8Array, label: RecordLabel, peer?: Resource): Position | 'full';
  /**
   * Like `append`, for the records of one read: all of them, or `full` and none. They are part of one commit, so all of
   * them are on disk when the returned position is.
   */
  appendRun(run: AppendedRun, label: RecordLabel): Position | 'full';
  /**
   * Whether there is room for records of this size, `RECORD_OVERHEAD_BYTES` for each record included. The answer
   * holds until the end of the caller's turn of the event loop, unless others append in it.
   */
  hasRoom(bytes: number): boolean;
  /**
   * Resolves with true when there is room for a record of this size, which is for the first caller that
   * appends; with false when the writer or the journal is closed, or the signal is aborted. Never rejects.
   */
  whenRoom(bytes: number, signal?: AbortSignal): Promise<boolean>;
  /** Counts a record as lost. As soon as there is room, a record in the stream reports the loss. */
  drop(bytes: number, label: RecordLabel): void;
  /** Starts a commit now, or after the running one, instead of a few milliseconds later. */
  flushSoon(): void;
  /** No further records. The stream ends when all records are accepted. */
  close(): void;
}

/** Memory of a pending record besides its bytes. */
export const RECORD_OVERHEAD_BYTES = 16;

export interface WriterOptions {
  /**
   * All records of the writer that were appended until `end` was returned are on disk, and each later process finds them.
   * Called once for each commit that contains such records, with ascending positions. Must not throw.
   */
  readonly onFlushed?: (end: Position) => void;
  /**
   * Called inside the transaction that stores all records before `end`, for changes that must be on disk if and only
   * if the records are. Called again when the transaction fails and is tried again. `onStored` follows when it
   * succeeds, then `onFlushed`. Must not throw.
   */
  readonly onStoring?: (end: Position) => void;
  /** The transaction of `onStoring` is on disk. Must not throw. */
  readonly onStored?: () => void;
  /**
   * After a crash, `onRecovered` of the journal makes the changes of `onStoring` for recovered records. So `onFlushed` does
   * not have to wait for the transaction, and can come before `onStoring`. Default: false.
   */
  readonly isStoringRedone?: boolean;
  /** Default: `arrival`. */
  readonly order?: RecordOrder;
}
