import { readFile } from 'node:fs/promises';
import type { CityResponse, Reader } from 'maxmind';
import type { FilterTables, GeoEntry } from '../filters/filter-tables.ts';

/** Most addresses of a log occur often. The oldest entry is forgotten first. */
const MAX_KNOWN = 10_000;

/** Opens a MaxMind database in memory. Throws if the file cannot be read or is not such a database. */
export async function openGeoDatabase(path: string): Promise<NonNullable<FilterTables['geoip']>> {
  const bytes = await readFile(path);
  const reader = await readerOf(path, bytes);
  const known = new Map<string, GeoEntry | undefined>();
  return (address) => {
    const entry = known.get(address);
    if (entry !== undefined || known.has(address)) return entry;
    const found = entryOf(reader, address);
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value ?? '');
    known.set(address, found);
    return found;
  };
}

async function readerOf(path: string, bytes: Buffer): Promise<Reader<CityResponse>> {
  const maxmind = await import('maxmind');
  try {
    return new maxmind.Reader<CityResponse>(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path} is not a MaxMind database: ${reason}`);
  }
}

/** A damaged database does not stop the filter. */
function entryOf(reader: Reader<CityResponse>, address: string): GeoEntry | undefined {
  try {
    return (reader.get(address) as GeoEntry | null) ?? undefined;
  } catch {
    return undefined;
  }
}
