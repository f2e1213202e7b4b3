import type { FilterTables, GeoEntry, LookupTable } from '../../src/filters/filter-tables.ts';
import { PATTERN_LIBRARY } from '../../src/patterns/pattern-library.ts';
import { PatternSet } from '../../src/patterns/pattern-set.ts';

const PARIS: GeoEntry = {
  continent: { code: 'EU', names: { en: 'Europe' } },
  country: { iso_code: 'FR', names: { en: 'France' } },
  subdivisions: [{ iso_code: 'IDF', names: { en: 'Ile-de-France' } }],
  city: { names: { en: 'Paris' } },
  location: { latitude: 48.8566, longitude: 2.3522 },
};

const HOSTS: LookupTable = {
  columns: ['host', 'team', 'city'],
  rows: new Map([['web-1', ['web-1', 'shop', 'Paris']]]),
};

/** The patterns of the product, one address of Paris (81.2.69.142), and the table hosts.csv. */
export function filterTables(patterns: Readonly<Record<string, string>> = {}): FilterTables {
  return {
    patterns: new PatternSet([PATTERN_LIBRARY, patterns]),
    geoip: (address) => (address === '81.2.69.142' ? PARIS : undefined),
    lookup: (file) => (file === 'hosts.csv' ? HOSTS : 'it does not exist'),
  };
}
