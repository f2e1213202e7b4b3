import type { StreamId } from '../../../records/stream-id.ts';
import type { Checkpoints } from '../../checkpoints.ts';
import type { FileCheckpoint } from './files/file-checkpoint.ts';
import type { FollowedFiles } from './identity/followed-files.ts';

const HOUR_MS = 3_600_000;

/** A checkpoint is forgotten when the collector has run so long without seeing a file of its identity. */
const FORGET_AFTER_MS = 30 * 24 * HOUR_MS;

/**
 * Lets dormant streams grow older by `elapsedMs` of running time: no jump of a clock makes them forgotten. Their age
 * is written down once an hour.
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
    dormant.checkpoint = checkpoint;
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
