import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { FilterTables, LookupTable } from '../filters/filter-tables.ts';
import { loadPatternFiles, type PatternLineReport } from '../patterns/pattern-files.ts';
import { isLive, type LiveTables, tablePath } from './live-tables.ts';
import { openGeoDatabase } from './open-geo-database.ts';
import { parseLookupTable } from './parse-lookup-table.ts';

export interface FilterTableFiles {
  /** Where the files are that a filter names in `lookup`, and pattern files of the same directory (`*.patterns`). */
  readonly directory: string;
  /** Further pattern files of Logstash or pyloggr; the library of the product is always there. */
  readonly patternFiles?: readonly string[];
  /** A MaxMind database (`.mmdb`). */
  readonly geoipFile?: string | undefined;
  readonly live?: LiveTables | undefined;
}

export interface LoadedFilterTables extends FilterTables {
  /** A line for each definition in the pattern files. */
  readonly patternLines: readonly PatternLineReport[];
}

/** The largest table that is read into memory. */
const MAX_LOOKUP_BYTES = 64 * 1024 * 1024;

/** Reads the files that filters look values up in. Throws for a file that cannot be read. */
export async function loadFilterTables(files: FilterTableFiles): Promise<LoadedFilterTables> {
  const paths = [...(await patternFilesIn(files.directory)), ...(files.patternFiles ?? [])];
  const texts = await Promise.all(paths.map(async (path) => ({ path, text: await readFile(path, 'utf8') })));
  const { set, lines } = loadPatternFiles(texts);
  const geoip = files.geoipFile === undefined ? undefined : await openGeoDatabase(files.geoipFile);
  const tables = new Map<string, LookupTable | string>();
  const lookup = (file: string) => {
    const table = tables.get(file) ?? readLookupTable(files, file);
    tables.set(file, table);
    return table;
  };
  return { patterns: set, patternLines: lines, geoip, lookup };
}

/** In the order of their names. A later file replaces patterns of an earlier one. None without a directory. */
export async function patternFilesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.patterns'));
  return names.map(({ name }) => resolve(directory, name)).sort();
}

/** A filter is not trusted with the file system: it names only files in its own directory. */
function readLookupTable({ directory, live }: FilterTableFiles, file: string): LookupTable | string {
  if (file === '' || basename(file) !== file)
    return 'expected the name of a file in the directory of the filter';
  const columns = isLive(live, file) ? live.columns[file] : undefined;
  try {
    const table = parseOpened(file, tablePath(directory, live, file));
    return columns === undefined || hasColumns(table, columns) ? table : { columns, rows: new Map() };
  } catch (error) {
    if (columns !== undefined) return { columns, rows: new Map() };
    return error instanceof Error ? error.message : String(error);
  }
}

/** The file of a live table may be that of an earlier configuration. */
function hasColumns(table: LookupTable | string, columns: readonly string[]): boolean {
  return typeof table !== 'string' && columns.join('\n') === table.columns.join('\n');
}

function parseOpened(file: string, path: string): LookupTable | string {
  // Without O_NONBLOCK, a pipe without a writer would block the process.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return 'it is not a regular file';
    if (stats.size > MAX_LOOKUP_BYTES)
      return `a table has at most ${MAX_LOOKUP_BYTES} bytes, got ${stats.size}`;
    return parseLookupTable(file, readFileSync(descriptor, 'utf8'));
  } finally {
    closeSync(descriptor);
  }
}
