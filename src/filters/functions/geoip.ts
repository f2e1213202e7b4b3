import type { AttributeValue } from '../../records/log-record.ts';
import type { FilterRun } from '../filter-run.ts';
import type { GeoEntry } from '../filter-tables.ts';
import { elementsOf, textOf } from '../filter-value.ts';
import { addressBytes } from './address.ts';
import { type FilterFunction, PREFIX } from './filter-function.ts';

/**
 * Adds the place of the first address that the database has. Without `prefix`, the attributes have
 * OpenTelemetry's names; with it, the short names of pyloggr.
 */
export const geoip: FilterFunction = {
  name: 'geoip',
  usage: 'geoip(VALUE, ..., prefix = "geoip_")',
  values: [0, 100],
  named: [PREFIX],
  compile: (call) => {
    const prefix = call.namedText(PREFIX);
    const values = call.valuesOr('client.address');
    const find = call.tables.geoip;
    if (find === undefined) call.warn('no GeoIP database is given: geoip finds nothing');
    const names = prefix === undefined ? OTEL_NAMES : SHORT_NAMES;
    for (const name of Object.values(names)) if (name !== '') call.writes((prefix ?? '') + name);
    const run = (state: FilterRun): boolean => {
      if (find === undefined) return false;
      for (const value of values) {
        for (const each of elementsOf(value(state))) {
          const address = textOf(each) ?? '';
          const entry = addressBytes(address) === undefined ? undefined : find(address);
          if (entry !== undefined) return addPlace(state, entry, prefix ?? '', names);
        }
      }
      return false;
    };
    return { kind: 'extract', run };
  },
};

type Names = Readonly<Record<keyof typeof READ, string>>;

const READ = {
  continent: (entry: GeoEntry) => entry.continent?.code ?? entry.continent?.names?.en,
  continentName: (entry: GeoEntry) => entry.continent?.names?.en,
  countryCode: (entry: GeoEntry) => entry.country?.iso_code,
  countryName: (entry: GeoEntry) => entry.country?.names?.en,
  regionCode: ({ country, subdivisions }: GeoEntry) => {
    const code = subdivisions?.[0]?.iso_code;
    return code === undefined || country?.iso_code === undefined ? code : `${country.iso_code}-${code}`;
  },
  regionName: (entry: GeoEntry) => entry.subdivisions?.[0]?.names?.en,
  city: (entry: GeoEntry) => entry.city?.names?.en,
  postalCode: (entry: GeoEntry) => entry.postal?.code,
  latitude: (entry: GeoEntry) => entry.location?.latitude,
  longitude: (entry: GeoEntry) => entry.location?.longitude,
  asNumber: (entry: GeoEntry) => entry.autonomous_system_number,
  asName: (entry: GeoEntry) => entry.autonomous_system_organization,
} as const satisfies Record<string, (entry: GeoEntry) => AttributeValue | undefined>;

/** An empty name: it is not added. */
const OTEL_NAMES: Names = {
  continent: 'geo.continent.code',
  continentName: '',
  countryCode: 'geo.country.iso_code',
  countryName: '',
  regionCode: 'geo.region.iso_code',
  regionName: '',
  city: 'geo.locality.name',
  postalCode: 'geo.postal_code',
  latitude: 'geo.location.lat',
  longitude: 'geo.location.lon',
  asNumber: 'as.number',
  asName: 'as.organization.name',
};

const SHORT_NAMES: Names = {
  continent: '',
  continentName: 'continent',
  countryCode: 'country_iso',
  countryName: 'country',
  regionCode: '',
  regionName: 'subdivision',
  city: 'city',
  postalCode: '',
  latitude: 'latitude',
  longitude: 'longitude',
  asNumber: 'as_number',
  asName: 'as_name',
};

const KEYS = Object.keys(READ) as readonly (keyof typeof READ)[];

function addPlace(run: FilterRun, entry: GeoEntry, prefix: string, names: Names): boolean {
  let isFound = false;
  for (const key of KEYS) {
    const name = names[key];
    const value = name === '' ? undefined : READ[key](entry);
    if (value === undefined) continue;
    run.change().attributes.set(prefix + name, value);
    isFound = true;
  }
  return isFound;
}
