import { parseStreamId } from '../../../records/stream-id.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import type { StreamStatus } from '../../stream-status.ts';
import { acceptedBytesOf, type FileCheckpoint } from '../tail/files/file-checkpoint.ts';

export const CHECKPOINT_TABLE = 'harvest-checkpoints';

/** The uploads in a state directory, while no collector is running. */
export function storedUploads(store: StateStore): readonly StreamStatus[] {
  const rows = store.table<FileCheckpoint>(CHECKPOINT_TABLE).entries();
  return Array.from(rows).flatMap(({ key, value }) => {
    const stream = parseStreamId(String(key));
    return stream === undefined || value.copyOf !== null ? [] : [{ stream, ...statusOf(value) }];
  });
}

function statusOf(checkpoint: FileCheckpoint): Omit<StreamStatus, 'stream'> {
  const { path, marks, sizeBytes = 0, finished } = checkpoint;
  const [position = 0] = marks.at(-1) ?? [];
  const acceptedBytes = acceptedBytesOf(checkpoint);
  const waitingBytes = finished === true ? 0 : Math.max(0, sizeBytes - position);
  return { origin: path, readBytes: acceptedBytes, acceptedBytes, waitingBytes };
}
