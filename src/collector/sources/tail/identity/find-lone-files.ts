import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isFileError } from '../files/file-error.ts';
import { originalPaths } from '../files/original-paths.ts';

/**
 * Returns the files that are the only ones of their name: by the names in their directory, no file is an
 * older generation or a copy of them. Directories are listed again, because a rotation may have happened
 * since the last scan.
 */
export async function findLoneFiles(paths: readonly string[]): Promise<Set<string>> {
  const derivedFrom = new Set<string>();
  for (const directory of new Set(paths.map((path) => dirname(path)))) {
    for (const name of await namesIn(directory)) {
      for (const original of originalPaths(join(directory, name))) derivedFrom.add(original);
    }
  }
  return new Set(paths.filter((path) => !derivedFrom.has(path) && originalPaths(path).length === 0));
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (!isFileError(error)) throw error;
    return [];
  }
}
