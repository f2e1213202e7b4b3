import type { FileStream } from './reading/file-stream.ts';

/**
 * Deleted files that are held open take room on the disk that nobody sees. Returns those that have to be let go for
 * the others to stay within the limit: the ones that were deleted first.
 */
export function streamsBeyondDeletedLimit(streams: readonly FileStream[], limitBytes: number): FileStream[] {
  const deleted = streams
    .filter(({ presence }) => presence.deletedSinceMs !== undefined)
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
