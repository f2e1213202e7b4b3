import type { StreamId } from '../../../records/stream-id.ts';
import type { Checkpoints } from '../../checkpoints.ts';
import type { FileCheckpoint } from './files/file-checkpoint.ts';
import type { FollowedFiles } from './identity/followed-files.ts';

const HOUR_MS = 3_600_000;

/** A checkpoint is removed when the collector has run for this time without finding its file. */
const FORGET_AFTER_MS = 30 * 24 * HOUR_MS;

/**
 * Adds `elapsedMs` of running time to the age of dormant streams, and removes those that are too old. A jump
 * of the clock does not change the age. The age is saved once an hour.
 */
export function ageDormantStreams(
  files: FollowedFiles,
  checkpoints: Checkpoints<FileCheckpoint>,
  elapsedMs: number,
): void {
  const forgotten: StreamId[] = [];
  for (const dormant of files.dormant.values()) {
    const before = dormant.checkpoint.absentMs;
    const checkpoint = { ...dormant.checkpoint, absentMs: before + elapsedMs };
    dormant.update(checkpoint);
    if (checkpoint.absentMs >= FORGET_AFTER_MS) forgotten.push(dormant.id);
    else if (Math.floor(checkpoint.absentMs / HOUR_MS) > Math.floor(before / HOUR_MS)) {
      checkpoints.change(dormant.id, () => checkpoint);
    }
  }
  for (const id of forgotten) {
    files.dormant.delete(id);
    checkpoints.remove(id);
  }
}
