import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import type { PathPatterns } from '../files/path-patterns.ts';
import { unaccountedContent } from './accounted-content.ts';
import { RotatedFiles } from './rotated-files.ts';

/** Maximum number of files that are examined at one start. */
const MAX_EXAMINED = 1_000;

/**
 * Finds generations of followed logs that were written while the collector was not running and that it does
 * not read, because they are compressed or no pattern matches their names. A file that a stream has read in
 * full is recognized by the CRC-32 of its content, which a gzip file has at its end.
 */
export async function findUnreadGenerations(options: UnreadGenerationsOptions): Promise<UnreadGeneration[]> {
  const found: UnreadGeneration[] = [];
  const known = options.known.map((checkpoint) => ({ checkpoint }));
  let examined = 0;
  for await (const file of new RotatedFiles(options.patterns).find(options.known)) {
    if (file.modifiedUnixMs <= options.sinceUnixMs || file.sizeBytes === 0) continue;
    if (options.isAccountedFor(file)) continue;
    if (++examined > MAX_EXAMINED) return found;
    const content = await unaccountedContent(file.path, known);
    if (!content.isAccountedFor) found.push({ path: file.path, sizeBytes: content.sizeBytes });
  }
  return found;
}

/** A rotated file beside a followed one, whose content no stream has read. */
export interface UnreadGeneration {
  readonly path: string;
  /** The uncompressed size; undefined when it cannot be known. */
  readonly sizeBytes: number | undefined;
}

export interface UnreadGenerationsOptions {
  /** The checkpoints of all known streams. */
  readonly known: readonly FileCheckpoint[];
  readonly patterns: PathPatterns;
  /** Only files that were written after this time are examined. */
  readonly sinceUnixMs: number;
  /** True for files that streams follow, and for compressed files of known streams. */
  readonly isAccountedFor: (file: { readonly path: string; readonly inode: string }) => boolean;
}
