import type { SegmentLog } from '../segments/segment-log.ts';
import type { QueueEvents } from './events.ts';
import { type EntryNumber, QueueError } from './queue-contract.ts';
import type { QueueIndex } from './queue-index.ts';

export interface RecoveryParts {
  readonly log: SegmentLog;
  readonly index: QueueIndex;
  readonly events: QueueEvents;
}

/**
 * Makes the log match the index: truncates entries that the index does not list, and reports listed entries
 * that are missing. Emitters stop there until the file is restored or an operator skips the entries.
 */
export async function recoverLog({ log, index, events }: RecoveryParts): Promise<void> {
  for (const { path, entry } of findDamage(log, index)) events.damaged({ path, entry });
  const before = log.bytes;
  await log.truncateTo(index.lastLocation);
  const firstSegment = index.row(index.firstRow)?.segment ?? Number.MAX_SAFE_INTEGER;
  for (const segment of log.segments) if (segment < firstSegment) await log.remove(segment);
  if (log.bytes < before) events.garbageCut({ bytes: before - log.bytes });
}

interface Damage {
  readonly path: string;
  readonly entry: EntryNumber;
}

/** Entries are contiguous: a file that contains its last entry is long enough for all. */
function findDamage(log: SegmentLog, index: QueueIndex): Damage[] {
  const damage: Damage[] = [];
  for (let entry = index.firstRow; entry < index.next; ) {
    const segment = index.row(entry)?.segment;
    if (segment === undefined) throw new QueueError(`Entry ${entry} is missing from the queue's index`);
    const next = index.firstEntryIn(segment + 1);
    const last = index.row(next - 1);
    if (last !== undefined && !log.holds(last)) damage.push({ path: log.pathOf(segment), entry });
    entry = next;
  }
  return damage;
}
