import { basename, dirname } from 'node:path';
import type { FilterSource, FilterTableDigests } from '../../emitters/filtering/filter-source.ts';
import type { FileDigests } from '../../filter-files/file-digests.ts';
import { tablePath } from '../../filter-files/live-tables.ts';
import { patternFilesIn } from '../../filter-files/load-filter-tables.ts';

/** The digests of the files that a filter reads: these tables, all pattern files, and the GeoIP database. */
export async function digestTables(
  { file, directory = dirname(file), geoip, live }: FilterSource,
  lookupFiles: readonly string[],
  digests: FileDigests,
): Promise<FilterTableDigests> {
  const patterns = (await patternFilesIn(directory)).map((path) => basename(path));
  const names = [...new Set([...patterns, ...lookupFiles])].sort();
  const files: Record<string, string> = {};
  for (const name of names) files[name] = (await digests.of(tablePath(directory, live, name))) ?? '';
  return { files, ...(geoip !== undefined && { geoip: await digests.of(geoip) }) };
}

export function areSameTables(a: FilterTableDigests | undefined, b: FilterTableDigests | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
