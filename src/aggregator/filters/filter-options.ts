import type { AggregatorConfig } from '../config.ts';
import type { FilteredEmitter } from './choose-filters.ts';
import type { FilterPlaces } from './read-filters.ts';

/** The part of the configuration that is about filters. */
export function filterOptions({
  filterDirectory,
  filterGeoip,
  emitters,
}: AggregatorConfig): FilterPlaces & { readonly emitters: readonly FilteredEmitter[] } {
  return { directory: filterDirectory, geoip: filterGeoip, emitters };
}
