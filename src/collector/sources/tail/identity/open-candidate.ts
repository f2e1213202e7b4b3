import { birthOf } from '../files/birth-time.ts';
import type { FileAccess } from '../files/file-access.ts';
import { readFilePrefix } from '../files/file-prefix.ts';
import type { FoundFile } from '../files/find-files.ts';
import { originalPaths } from '../files/original-paths.ts';
import type { ReadableFile } from '../files/readable-file.ts';
import type { Candidate } from './same-file.ts';

/** An open file, as it is at this moment. */
export interface OpenCandidate extends Candidate {
  readonly sizeBytes: number;
  /** The path where it was found and, for a symbolic link, the path of the file itself. */
  readonly paths: readonly string[];
  /** Called for each stream with which it is compared. */
  readonly onCompare: () => void;
}

/** A file that no stream reads, and the access to its bytes. */
export interface UnreadFile {
  readonly found: FoundFile;
  readonly file: FileAccess;
}

export async function candidateOf(
  handle: ReadableFile,
  file: FileAccess,
  { target, onCompare }: { readonly target?: string | undefined; readonly onCompare: () => void },
): Promise<OpenCandidate> {
  const beginning = await readFilePrefix(handle);
  const { size } = await handle.stat();
  const paths = target === undefined ? [file.place.path] : [file.place.path, target];
  return {
    ...file.place,
    handle,
    beginning,
    sizeBytes: size,
    birth: await birthOf(handle, file.place.path),
    paths,
    onCompare,
  };
}

/**
 * The paths from which a rotation may have made the file: in the directory of the file itself, not of a link
 * to it.
 */
export function originalsOf({ paths }: Pick<OpenCandidate, 'paths'>): string[] {
  return originalPaths(paths.at(-1) ?? '');
}
