import { join } from 'node:path';
import type { LiveTables } from '../../filter-files/live-tables.ts';
import type { AggregatorConfig } from '../config.ts';
import { PODS_TABLE, podColumns } from '../kubernetes/pod-table.ts';
import type { FilteredEmitter } from './choose-filters.ts';
import type { FilterPlaces } from './read-filters.ts';

/** The part of the configuration that is about filters. */
export function filterOptions({
  filterDirectory,
  filterGeoip,
  emitters,
  stateDirectory,
  kubernetes,
}: AggregatorConfig): FilterPlaces & { readonly emitters: readonly FilteredEmitter[] } {
  const live = kubernetes === undefined ? undefined : podsTable(stateDirectory, kubernetes.labels);
  return { directory: filterDirectory, geoip: filterGeoip, live, emitters };
}

/** Where the aggregator writes tables for filters. */
export function liveTableDirectory(stateDirectory: string): string {
  return join(stateDirectory, 'tables');
}

function podsTable(stateDirectory: string, labels: readonly string[]): LiveTables {
  const columns = { [PODS_TABLE]: podColumns(labels) };
  return { directory: liveTableDirectory(stateDirectory), columns };
}
