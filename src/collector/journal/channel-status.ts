import type { StateStore } from '../../storage/state/state-store.ts';
import type { StreamStatus } from '../stream-status.ts';
import type { JournalChannel } from './journal-channel.ts';
import { JournalIndex } from './journal-index.ts';

/** The status of a channel's stream. */
export function channelStatus(channel: JournalChannel, nowMs: number): StreamStatus {
  const { stream, origin, offset, accepted, indexedEnd, sizeHistory } = channel;
  const oldestWaitingMs = sizeHistory.remainderAgeMs(accepted, nowMs);
  return {
    ...{ stream, origin, ...amounts({ offset, accepted, indexedEnd }) },
    ...(accepted === indexedEnd || oldestWaitingMs === undefined ? {} : { oldestWaitingMs }),
  };
}

/** The status of each channel of a journal that is not open. */
export function storedStatus(store: StateStore, name: string): readonly StreamStatus[] {
  const index = new JournalIndex(store, name);
  return index.channels().map(({ number, row }) => {
    const { stream, origin, offset } = row;
    const accepted = Math.max(row.accepted, offset);
    const indexedEnd = Math.max(index.lastEntry(number)?.end ?? 0, accepted);
    return { stream, origin, ...amounts({ offset, accepted, indexedEnd }) };
  });
}

function amounts({
  offset,
  accepted,
  indexedEnd,
}: Pick<JournalChannel, 'offset' | 'accepted' | 'indexedEnd'>) {
  return {
    readBytes: indexedEnd - offset,
    acceptedBytes: accepted - offset,
    waitingBytes: indexedEnd - accepted,
  };
}
