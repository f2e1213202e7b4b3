import { isCompressed } from './files/path-patterns.ts';
import type { FileStream } from './reading/file-stream.ts';

/**
 * Deleted files that are open need disk space that no directory shows. Returns the streams that must end so
 * that the others stay within the limit: those whose files were deleted first.
 */
export function streamsBeyondDeletedLimit(streams: readonly FileStream[], limitBytes: number): FileStream[] {
  const deleted = streams
    // The room for archives has a limit of its own.
    .filter(({ path, presence }) => presence.deletedSinceMs !== undefined && !isCompressed(path))
    .sort((a, b) => (a.presence.deletedSinceMs ?? 0) - (b.presence.deletedSinceMs ?? 0));
  let held = deleted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const discarded: FileStream[] = [];
  for (const stream of deleted) {
    if (held <= limitBytes) break;
    held -= stream.sizeBytes;
    discarded.push(stream);
  }
  return discarded;
}
