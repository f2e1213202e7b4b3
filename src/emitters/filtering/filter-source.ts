import type { FilterErrors } from '../../filters/filter-errors.ts';

/** A filter as text. It is sent to the thread of an emitter, which compiles it. */
export interface FilterSource {
  /** The name of the file without `.filter`. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly text: string;
  /** Absolute path of a MaxMind database; undefined: none is configured. */
  readonly geoip?: string | undefined;
}

/** The errors of a filter of an emitter since it was loaded. */
export interface FilterErrorReport extends FilterErrors {
  readonly file: string;
}
