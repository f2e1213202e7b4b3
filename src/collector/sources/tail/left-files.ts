import type { LeftFile } from '../../one-shot-report.ts';
import type { FollowedFiles } from './identity/followed-files.ts';
import type { UnreadFiles } from './identity/unread-files.ts';

/** For --once: files that should have been read, and were not read or not to their end. */
export function leftFiles(files: FollowedFiles, unread: UnreadFiles): readonly LeftFile[] {
  const left = new Map<string, LeftFile>();
  for (const { path, reason } of unread.missed()) left.set(path, { path, reason });
  for (const { path, refusal, content } of files.streams.values()) {
    const { leftBytes: bytes } = content;
    if (bytes === 0) continue;
    const reason = left.get(path)?.reason ?? 'unread';
    left.set(path, {
      path,
      bytes,
      ...(refusal === undefined ? { reason } : { reason: 'refused', refusal }),
    });
  }
  return [...left.values()];
}
