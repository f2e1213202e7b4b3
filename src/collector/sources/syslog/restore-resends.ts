import { peerOf } from '../../../records/peer-column.ts';
import { forEachRecord } from '../../../records/record-batch.ts';
import type { ListenerChannel } from './listener-channel.ts';
import type { ResendTrack, ResendWindow } from './resend-window.ts';

/** More than the messages that the clients of a listener usually have unanswered. */
const RESTORED_BYTES = 4 * 1024 * 1024;

/**
 * After a crash: the messages in the journal may have been stored without an answer, so their clients send them
 * again. Records that the aggregator has accepted are not in the journal any more, and are not recognized.
 */
export async function restoreResends(
  window: ResendWindow,
  stored: Pick<ListenerChannel, 'newest'>,
): Promise<void> {
  const tracks = new Map<string, ResendTrack>();
  for (const batch of await stored.newest(RESTORED_BYTES))
    forEachRecord(batch, (bytes, index) => {
      const address = peerOf(batch, index)?.get('network.peer.address');
      if (address === undefined) return;
      const track = tracks.get(address) ?? window.track(address);
      tracks.set(address, track);
      track.isRepeated(bytes.subarray(0, bytes.length - 1));
    });
}
