import type { PatternSet } from '../patterns/pattern-set.ts';

/** What a filter looks values up in. It is loaded before the filter, and does not change while it runs. */
export interface FilterTables {
  /** Named patterns for `grok`. */
  readonly patterns: PatternSet;
  /** The entry of a GeoIP database; undefined: no database is configured. */
  readonly geoip?: ((address: string) => GeoEntry | undefined) | undefined;
  /** The table in a file that a filter names, or the reason why there is none. */
  readonly lookup: (file: string) => LookupTable | string;
}

/** Rows by key; each row has a value for each column. */
export interface LookupTable {
  readonly columns: readonly string[];
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

/** The part of an entry of a MaxMind database that filters read. */
export interface GeoEntry {
  readonly continent?: GeoName & { readonly code?: string };
  readonly country?: GeoName & { readonly iso_code?: string };
  readonly subdivisions?: readonly (GeoName & { readonly iso_code?: string })[];
  readonly city?: GeoName;
  readonly postal?: { readonly code?: string };
  readonly location?: {
    readonly latitude?: number;
    readonly longitude?: number;
    readonly time_zone?: string;
  };
  readonly autonomous_system_number?: number;
  readonly autonomous_system_organization?: string;
}

interface GeoName {
  readonly names?: { readonly en?: string };
}
