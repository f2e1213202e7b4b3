import { join, resolve } from 'node:path';
import type { FilteredEmitter } from './choose-filters.ts';
import { FILTER_SUFFIX, type FilterPlaces } from './read-filters.ts';

/** The files that the emitters use, or would use if they existed. */
export function watchedPaths(
  directory: string,
  { emitters, geoip }: Pick<FilterPlaces, 'geoip'> & { readonly emitters: readonly FilteredEmitter[] },
): readonly string[] {
  const names = new Set(emitters.map(({ filter = 'default' }) => filter));
  const filters = [...names].map((name) => resolve(join(directory, name + FILTER_SUFFIX)));
  return geoip === undefined ? filters : [...filters, resolve(geoip)];
}
