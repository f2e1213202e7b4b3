import { join, resolve } from 'node:path';
import type { FilteredEmitter } from './choose-filters.ts';
import { FILTER_SUFFIX } from './read-filters.ts';

/** The files that the emitters use, or would use if they existed. */
export function watchedPaths(directory: string, emitters: readonly FilteredEmitter[]): readonly string[] {
  const names = new Set(emitters.map(({ filter = 'default' }) => filter));
  return [...names].map((name) => resolve(join(directory, name + FILTER_SUFFIX)));
}
