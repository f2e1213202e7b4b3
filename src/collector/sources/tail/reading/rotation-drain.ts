import type { Clock } from '../../../../runtime/clock.ts';
import type { TailEvents } from '../files/events.ts';
import { isCompressed } from '../files/path-patterns.ts';
import type { FileStream } from './file-stream.ts';

/** Time between two checks of a file that is drained. A file must be idle for this time. */
export const DRAIN_CHECK_MS = 1_000;
/** Maximum wait of the next generation for a file that was found under a rotated name. */
const MAX_WAIT_MS = 60_000;
/**
 * Maximum wait of the next generation for a file that was renamed or deleted, and that a process still writes
 * to.
 */
const MAX_WAIT_FOR_WRITERS_MS = 30_000;
/** A file that was moved away is followed until it was idle for this time. */
const MOVED_AWAY_IDLE_MS = 600_000;

/**
 * A generation hands over when its file was renamed or deleted, was idle for a second, and all of it is
 * accepted. `finished`: it has handed over, and no process can write to its file any more. `lost`: its bytes
 * are gone.
 */
export async function checkDrained(
  stream: FileStream,
  clock: Clock,
  events: TailEvents,
): Promise<'draining' | 'lost' | 'handed-over' | 'finished'> {
  const state = await stream.state();
  if (state === undefined) return stream.file.failure === 'gone' ? 'lost' : 'draining';
  if (state.unlinked && stream.presence.markDeleted(clock.monotonicMs()))
    events.unlinked({ stream: stream.id, path: stream.path });
  if (state.sizeBytes < stream.position) return 'lost';
  const hasGrown = state.sizeBytes !== stream.sizeBytes;
  stream.content.recordSize(state.sizeBytes);
  stream.recordModified(state.modifiedUnixMs);
  const isDeleted = stream.presence.deletedSinceMs !== undefined;
  if (isWaitOver(stream, clock)) return 'handed-over';
  // An archive gets no more bytes.
  const isArchive = isCompressed(stream.path);
  if (stream.content.idleMs < DRAIN_CHECK_MS && !isArchive) {
    if (hasGrown) stream.wake();
    return 'draining';
  }
  if (stream.accepted < stream.content.end) {
    if (isDeleted) stream.content.flush();
    return 'draining';
  }
  const isFinished =
    isDeleted || (stream.presence.isMovedAway && stream.content.idleMs >= MOVED_AWAY_IDLE_MS);
  return isFinished ? 'finished' : 'handed-over';
}

/** Whether the file must be checked every second: the next generation waits for it, or it may be finished. */
export function isDraining(stream: FileStream): boolean {
  if (stream.isEnded || !stream.isOpened) return false;
  if (stream.presence.deletedSinceMs !== undefined || stream.presence.isMovedAway) return true;
  return isOld(stream) && !stream.isHandedOver;
}

/**
 * The next generation must not wait as long as a process writes to this one. The bytes that existed when the
 * wait began are sent first. Later bytes are sent at the same time as the next generation.
 */
function isWaitOver(stream: FileStream, clock: Clock): boolean {
  if (stream.isHandedOver) return false;
  const { sizeBytes, atMs } = stream.waitStart();
  return stream.accepted >= sizeBytes && clock.monotonicMs() - atMs >= maxWaitMs(stream);
}

function maxWaitMs({ presence }: FileStream): number {
  return presence.isDisplaced ? MAX_WAIT_FOR_WRITERS_MS : MAX_WAIT_MS;
}

/** Why the next generation waits for this one: the rest of a sentence that begins with its path. */
export function reasonToWait(stream: FileStream, clock: Clock): string {
  if (!isDraining(stream)) return 'is read first: it is the older generation';
  const { sizeBytes, atMs } = stream.waitStart();
  const leftMs = Math.max(0, atMs + maxWaitMs(stream) - clock.monotonicMs());
  if (stream.accepted < sizeBytes)
    return `is read first: ${sizeBytes - stream.accepted} bytes of it are not accepted`;
  return `may still be written to: the wait ends when it was idle for 1 s, at the latest in ${Math.ceil(leftMs / 1000)} s`;
}

/** By its name, the file soon gets no more bytes. */
function isOld(stream: FileStream): boolean {
  return stream.presence.isDisplaced || stream.home !== stream.lineage;
}
