import type { Position } from '../../../../records/position.ts';
import type { StreamId } from '../../../../records/stream-id.ts';
import type { ArchiveContent } from '../files/archive-content.ts';
import type { FileAccess } from '../files/file-access.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import { checksumOf } from '../files/file-contents.ts';
import { MIN_EVIDENCE_BYTES } from '../identity/same-file.ts';

/** A stream that may have the bytes of an archive. */
export interface KnownStream {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
  /** The file, while the stream reads it: all its bytes will be read. */
  readonly file?: FileAccess | undefined;
}

/** The end of the bytes that were read. */
export function endOfRead({ marks }: FileCheckpoint): Position {
  return marks.at(-1)?.[0] ?? 0;
}

/** Whether the content begins with every byte that the stream has read. Short beginnings are no evidence. */
export function beginsWithRead(content: ArchiveContent, checkpoint: FileCheckpoint): boolean {
  const [position = 0, , crc32] = checkpoint.marks.at(-1) ?? [];
  if (checkpoint.prefix.length === 0 || !content.beginning.matches(checkpoint.prefix)) return false;
  if (Math.max(position, checkpoint.prefix.length) < MIN_EVIDENCE_BYTES) return false;
  return checkpoint.checksumFrom === 0 && content.checksumAt.get(position) === crc32;
}

/** Whether the stream has read all bytes of the content, or will read them from its file. */
export async function accountsFor(content: ArchiveContent, stream: KnownStream): Promise<boolean> {
  const { checkpoint, file } = stream;
  const { sizeBytes } = content;
  if (checkpoint.prefix.length === 0 || !content.beginning.matches(checkpoint.prefix)) return false;
  const position = endOfRead(checkpoint);
  // Without a checksum from the beginning of the file, its size and its beginning are the evidence.
  if (position === sizeBytes && checkpoint.checksumFrom !== 0) return true;
  if (position === sizeBytes && content.checksumAt.get(position) === checkpoint.marks.at(-1)?.[2])
    return true;
  return file !== undefined && (await hasContent(file, content));
}

async function hasContent(file: FileAccess, { sizeBytes, checksumAt }: ArchiveContent): Promise<boolean> {
  const found = await file.use(async (handle) => {
    if ((await handle.stat()).size < sizeBytes) return undefined;
    return checksumOf(handle, { start: 0, end: sizeBytes });
  });
  return found !== undefined && found === checksumAt.get(sizeBytes);
}
