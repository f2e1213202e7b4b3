import { PEER_ADDRESS } from '../../../formats/connection-attributes.ts';
import { peerOf } from '../../../records/peer-column.ts';
import type { RecordBatch } from '../../../records/record-batch.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import type { OriginEntry } from '../../journal/journal-options.ts';
import { isRelp, listenText } from './listen-address.ts';
import type { ListenerConfiguration } from './listener-configuration.ts';
import { ResendWindow } from './resend-window.ts';

/** The window of a listener; undefined when it does not recognize repetitions. */
export function resendWindow(
  { listen, identity, onResend }: ListenerConfiguration,
  store: StateStore,
): ResendWindow | undefined {
  if (!isRelp(listen) || (onResend === 'keep' && identity === undefined)) return undefined;
  return new ResendWindow({ store, listener: listenText(listen), identity, isMarking: onResend === 'mark' });
}

/**
 * Returns the `onRecovered` of the journal: the fingerprints of recovered messages are computed again, because a crash came
 * before the transaction that stores them. Not for packed messages: they are not the records of the journal, which
 * are not recovered then.
 */
export function rememberRecovered(
  listeners: readonly ListenerConfiguration[],
  store: StateStore,
): (entries: readonly OriginEntry[]) => () => void {
  return (entries) => {
    const windows = new Map<string, ResendWindow>();
    for (const listener of listeners) {
      const window = listener.pack === undefined ? resendWindow(listener, store) : undefined;
      if (window !== undefined) windows.set(listenText(listener.listen), window);
    }
    for (const { origin, entry } of entries) {
      const window = windows.get(origin);
      if (window !== undefined) rememberRecords(window, entry);
    }
    return () => {
      for (const window of windows.values()) window.storing(Number.POSITIVE_INFINITY);
    };
  };
}

function rememberRecords(window: ResendWindow, entry: RecordBatch): void {
  let from = 0;
  for (const [index, size] of entry.sizes.entries()) {
    const message = entry.data.subarray(from, from + size - 1);
    from += size;
    window.remember(message, peerOf(entry, index)?.get(PEER_ADDRESS) ?? '');
  }
}
