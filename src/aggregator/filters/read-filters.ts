import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { FilterSource } from '../../emitters/filtering/filter-source.ts';
import type { LiveTables } from '../../filter-files/live-tables.ts';
import { errorMessage } from '../../runtime/error-message.ts';

export const FILTER_SUFFIX = '.filter';
/** Larger than any filter that a person writes. */
const MAX_BYTES = 1024 * 1024;

/** The filters of a directory, by name; a text: why the file cannot be read. */
export type FilterFiles = ReadonlyMap<string, FilterSource | string>;

export interface FilterPlaces {
  /** undefined: no filter is configured. */
  readonly directory: string | undefined;
  /** The path of a MaxMind database. */
  readonly geoip: string | undefined;
  readonly live?: LiveTables | undefined;
}

/** Reads all files `*.filter` of the directory. Rejects with the reason if it cannot read the directory. */
export async function readFilters({ directory, geoip, live }: FilterPlaces): Promise<FilterFiles> {
  const files = new Map<string, FilterSource | string>();
  if (directory === undefined) return files;
  const place = { ...(geoip !== undefined && { geoip: resolve(geoip) }), ...(live && { live }) };
  for (const path of await filterPaths(directory)) {
    const name = basename(path, FILTER_SUFFIX);
    const text = await textOf(path);
    files.set(name, typeof text === 'string' ? { name, file: path, text, ...place } : text.reason);
  }
  return files;
}

async function filterPaths(directory: string): Promise<readonly string[]> {
  try {
    const names = await readdir(directory);
    const filters = names.filter((name) => name.endsWith(FILTER_SUFFIX) && name !== FILTER_SUFFIX);
    return filters.sort().map((name) => resolve(join(directory, name)));
  } catch (error) {
    throw new Error(`Cannot read the filter directory ${directory}: ${errorMessage(error)}.`, {
      cause: error,
    });
  }
}

async function textOf(path: string): Promise<string | { readonly reason: string }> {
  try {
    return await regularText(path);
  } catch (error) {
    return { reason: `Cannot read the filter ${path}: ${errorMessage(error)}.` };
  }
}

async function regularText(path: string): Promise<string> {
  // Without O_NONBLOCK, a pipe without a writer would block this reload and all later ones.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = await requireRegular(file);
    if (size > MAX_BYTES) throw new Error(`it must have at most ${MAX_BYTES} bytes, got ${size}`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function requireRegular(file: FileHandle): Promise<Stats> {
  const stats = await file.stat();
  if (!stats.isFile()) throw new Error('it is not a regular file');
  return stats;
}
