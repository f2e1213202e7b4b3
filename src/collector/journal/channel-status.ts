import type { StateStore } from '../../storage/state/state-store.ts';
import type { StreamStatus } from '../stream-status.ts';
import type { JournalChannel } from './journal-channel.ts';
import { JournalIndex } from './journal-index.ts';

/** The status of a channel's stream. */
export function channelStatus(channel: JournalChannel, nowMs: number): StreamStatus {
  const { stream, origin, offset, accepted, flushedEnd, sizeHistory } = channel;
  const oldestWaitingMs = sizeHistory.remainderAgeMs(accepted, nowMs);
  return {
    ...{ stream, origin, ...amounts({ offset, accepted, flushedEnd }) },
    ...(accepted === flushedEnd || oldestWaitingMs === undefined ? {} : { oldestWaitingMs }),
  };
}

/** The status of each channel of a journal that is not open. */
export function storedStatus(store: StateStore, name: string): readonly StreamStatus[] {
  const index = new JournalIndex(store, name);
  return index.channels().map(({ number, row }) => {
    const { stream, origin, offset } = row;
    const accepted = Math.max(row.accepted, offset);
    const flushedEnd = Math.max(index.lastEntry(number)?.end ?? 0, accepted);
    return { stream, origin, ...amounts({ offset, accepted, flushedEnd }) };
  });
}

function amounts({
  offset,
  accepted,
  flushedEnd,
}: Pick<JournalChannel, 'offset' | 'accepted' | 'flushedEnd'>) {
  return {
    readBytes: flushedEnd - offset,
    acceptedBytes: accepted - offset,
    waitingBytes: flushedEnd - accepted,
  };
}
