import type { RecordBatch } from '../../records/record-batch.ts';
import { decodeRecordBatch } from '../../records/wire.ts';
import { WireError } from '../../records/wire-error.ts';
import { endOfEntry, type SegmentLocation } from '../../storage/segments/segment-format.ts';
import type { FoundEntry, SegmentLog } from '../../storage/segments/segment-log.ts';
import { entryLinkOf } from './entry-link.ts';
import type { IndexedEntry, JournalIndex } from './journal-index.ts';

/**
 * Finds the entries that were flushed and perhaps answered, but are not in the index: a crash came before their
 * transaction. The index is authoritative up to its last entry. After it, an entry belongs to the journal if
 *
 *   - its checksum is valid, and it has a link,
 *   - the link names the entry before it as its predecessor, and
 *   - it begins at the end of its channel, which the index contains.
 *
 *     index:  ... [ 17 ]
 *     log:    ... [ 17 ][ 18, after 17 ][ 19, after 18 ][ torn          the first entry that is not valid is the end
 *
 * Leftovers of a failed write are not read as entries. The next attempt has new ids and names the last valid entry as its
 * predecessor. It replaces the leftovers, or begins a new segment when they could not be truncated: so the first entry of the
 * last segment that names the predecessor has priority over the bytes that follow.
 */
export async function recoverEntries(
  log: SegmentLog,
  index: JournalIndex,
): Promise<readonly RecoveredEntry[]> {
  const recovered: RecoveredEntry[] = [];
  const ends = new Map(index.channels().map(({ number, row }) => [number, endOf(index, number, row)]));
  let last = index.last;
  for (let previous = index.lastId; ; ) {
    const entry = linked(await nextEntry(log, last, previous));
    if (entry?.link.previous !== previous) return recovered;
    const { batch, link, location } = entry;
    const start = ends.get(link.channel);
    if (start === undefined || batch.start !== start) return recovered;
    const end = start + batch.data.length;
    ends.set(link.channel, end);
    recovered.push({ batch, id: link.id, place: { channel: link.channel, start, end, location } });
    previous = link.id;
    last = location;
  }
}

export interface RecoveredEntry {
  readonly batch: RecordBatch;
  readonly id: number;
  readonly place: IndexedEntry;
}

function endOf(
  index: JournalIndex,
  channel: number,
  row: { readonly accepted: number; readonly offset: number },
) {
  return Math.max(index.lastEntry(channel)?.end ?? 0, row.accepted, row.offset);
}

async function nextEntry(
  log: SegmentLog,
  last: SegmentLocation | undefined,
  previous: number,
): Promise<FoundEntry | undefined> {
  const later = log.segments.filter((segment) => segment > (last?.segment ?? 0));
  for (const segment of later.toReversed()) {
    const first = await log.entryAt(segment);
    if (first !== undefined && entryLinkOf(first.payload)?.previous === previous) return first;
  }
  return last && log.entryAt(last.segment, endOfEntry(last));
}

function linked(found: FoundEntry | undefined) {
  const link = found && entryLinkOf(found.payload);
  if (found === undefined || link === undefined) return undefined;
  try {
    return { link, location: found.location, batch: decodeRecordBatch(found.payload) };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
