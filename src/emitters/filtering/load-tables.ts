import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { FilterTables, GeoEntry, LookupTable } from '../../filters/filter-tables.ts';
import { csvValues } from '../../filters/functions/csv.ts';
import { PATTERN_LIBRARY } from '../../patterns/pattern-library.ts';
import { PatternSet } from '../../patterns/pattern-set.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { FilterSource } from './filter-source.ts';

/** A larger table belongs into a database. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024;

/** The tables of a filter. The paths of `lookup` are relative to the directory of the filter. */
export async function loadTables({
  file,
  geoip,
}: Pick<FilterSource, 'file' | 'geoip'>): Promise<FilterTables> {
  const find = geoip === undefined ? undefined : await openGeoip(geoip);
  return {
    patterns: new PatternSet([PATTERN_LIBRARY]),
    ...(find !== undefined && { geoip: find }),
    lookup: (path) => readTable(resolve(dirname(file), path)),
  };
}

async function openGeoip(path: string): Promise<(address: string) => GeoEntry | undefined> {
  try {
    const { Reader } = await import('maxmind');
    const reader = new Reader(await readFile(path));
    return (address) => (reader.get(address) as GeoEntry | null) ?? undefined;
  } catch (error) {
    throw new Error(`Cannot read the GeoIP database ${path}: ${errorMessage(error)}.`, { cause: error });
  }
}

function readTable(path: string): LookupTable | string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_TABLE_BYTES)
      return `it must have at most ${MAX_TABLE_BYTES} bytes, got ${bytes.length}`;
    return tableOf(bytes.toString());
  } catch (error) {
    return errorMessage(error);
  }
}

/** The first line has the names of the columns; the first column is the key. */
function tableOf(text: string): LookupTable {
  const [head = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const rows = new Map<string, readonly string[]>();
  for (const line of lines) {
    const values = csvValues(line, ',');
    rows.set(values[0] ?? '', values);
  }
  return { columns: csvValues(head, ','), rows };
}
