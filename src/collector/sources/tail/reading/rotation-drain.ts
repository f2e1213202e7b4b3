import type { Clock } from '../../../../runtime/clock.ts';
import type { TailEvents } from '../files/events.ts';
import type { FileStream } from './file-stream.ts';

/** Two looks at a file's end are so far apart. */
export const DRAIN_CHECK_MS = 1_000;
/** A file that was never seen under a younger name does not keep the next one waiting longer for bytes that come late. */
const MAX_WAIT_MS = 60_000;
/** Nor does a file that a process continues to write to, after it was renamed or deleted, keep the next one longer. */
const MAX_WAIT_FOR_WRITERS_MS = 30_000;
/** A file that has left the patterns is followed until it has rested so long. */
const MOVED_AWAY_IDLE_MS = 600_000;

/** Whether the next generation may have to wait for it, or it is to be let go: it is looked at every second. */
export function isDraining(stream: FileStream): boolean {
  if (stream.isEnded || !stream.isOpened) return false;
  if (stream.presence.deletedSinceMs !== undefined || stream.presence.isMovedAway) return true;
  return isOld(stream) && !stream.isHandedOver;
}

/**
 * A generation is past when it stands under an older name or none, was found at its end twice, a second apart, and
 * all of it is accepted. Returns what that means for the stream now.
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
  const isDeleted = stream.presence.deletedSinceMs !== undefined;
  if (isWaitOver(stream, clock)) return 'handed-over';
  if (stream.content.idleMs < DRAIN_CHECK_MS) {
    if (hasGrown) stream.wake();
    return 'draining';
  }
  if (stream.accepted < stream.content.end) {
    if (isDeleted) stream.content.flush();
    return 'draining';
  }
  const isOver = isDeleted || (stream.presence.isMovedAway && stream.content.idleMs >= MOVED_AWAY_IDLE_MS);
  return isOver ? 'finished' : 'handed-over';
}

/**
 * The next generation must not wait as long as something is written to this one. What was there when the wait began is
 * sent first; what comes later is sent beside the next one.
 */
function isWaitOver(stream: FileStream, clock: Clock): boolean {
  if (stream.isHandedOver) return false;
  const { sizeBytes, atMs } = stream.waitStart();
  return stream.accepted >= sizeBytes && clock.monotonicMs() - atMs >= maxWaitMs(stream);
}

function maxWaitMs({ presence }: FileStream): number {
  return presence.isDisplaced ? MAX_WAIT_FOR_WRITERS_MS : MAX_WAIT_MS;
}

/** Why the next generation waits for this one, as the rest of a sentence that begins with its path. */
export function reasonToWait(stream: FileStream, clock: Clock): string {
  if (!isDraining(stream)) return 'is read first: it is the older generation';
  const { sizeBytes, atMs } = stream.waitStart();
  const leftMs = Math.max(0, atMs + maxWaitMs(stream) - clock.monotonicMs());
  if (stream.accepted < sizeBytes)
    return `is read first: ${sizeBytes - stream.accepted} bytes of it are not accepted`;
  return `may still be written to: the wait ends when it has rested for 1 s, at the latest in ${Math.ceil(leftMs / 1000)} s`;
}

/** Its name says that it gets no more bytes soon. */
function isOld(stream: FileStream): boolean {
  return stream.presence.isDisplaced || stream.home !== stream.lineage;
}
