import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../../records/check.ts';
import type { Position } from '../../../records/position.ts';
import { extendChecksum, type RunningChecksum } from '../../../records/running-checksum.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import type { StateStore, Table } from '../../../storage/state/state-store.ts';
import type { StreamStatus } from '../../stream-status.ts';

/** A place between two entries: the cursor of the entry before it, and the evidence of the bytes before it. */
export type JournalMark = {
  readonly position: Position;
  /** undefined: before the first entry. */
  readonly cursor?: string;
  /** The last bytes before the position, as many as a check needs, as Base64. */
  readonly before: string;
  readonly crc32: number;
};

/** The state of a stream on disk. The names of the fields are a format: earlier and later versions read them. */
export type JournalCheckpoint = {
  readonly origin: string;
  /** The end of the contiguous accepted bytes. */
  readonly accepted: Position;
  /** The last known place that is not after `accepted`. */
  readonly mark: JournalMark;
  /** The end of the bytes that were read. */
  readonly readEnd: Position;
  /** This cursor was reported to be gone. */
  readonly gone?: string;
};

export const JOURNALD_TABLE = 'journald streams';

export const FIRST_MARK: JournalMark = { position: 0, before: '', crc32: 0 };

/** The place after `bytes`, which end with the entry of this cursor. */
export function markAfter(mark: JournalMark, bytes: Buffer, cursor: string | undefined): JournalMark {
  const before = Buffer.concat([
    Buffer.from(mark.before, 'base64'),
    bytes.subarray(-CHECK_WINDOW_BYTES),
  ]).subarray(-CHECK_WINDOW_BYTES);
  const kept = cursor ?? mark.cursor;
  return {
    position: mark.position + bytes.length,
    ...(kept !== undefined && { cursor: kept }),
    before: before.toString('base64'),
    crc32: extendChecksum(checksumAt(mark), bytes).crc32,
  };
}

export function checkAt({ before }: JournalMark): Check {
  return checkOf(Buffer.from(before, 'base64'));
}

export function checksumAt({ crc32 }: JournalMark): RunningChecksum {
  return { from: 0, crc32 };
}

/** The status of all streams while the source is not open. */
export function storedJournals(store: StateStore): readonly StreamStatus[] {
  const table: Table<JournalCheckpoint> = store.table(JOURNALD_TABLE);
  return Array.from(table.entries(), ({ key, value: { origin, accepted, readEnd } }) => ({
    stream: String(key) as StreamId,
    origin,
    readBytes: Math.max(readEnd, accepted),
    acceptedBytes: accepted,
    waitingBytes: Math.max(0, readEnd - accepted),
  }));
}
