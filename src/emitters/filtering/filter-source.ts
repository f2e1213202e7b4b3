import type { LiveTables } from '../../filter-files/live-tables.ts';
import type { FilterErrors } from '../../filters/filter-errors.ts';

/** A filter as text. It is sent to the thread of an emitter, which compiles it. */
export interface FilterSource {
  /** The name of the file without `.filter`. */
  readonly name: string;
  /** Absolute path, for messages too. */
  readonly file: string;
  readonly text: string;
  /** Where its tables and patterns are; undefined: in the directory of the file. */
  readonly directory?: string | undefined;
  /** Absolute path of a MaxMind database; undefined: none is configured. */
  readonly geoip?: string | undefined;
  readonly live?: LiveTables | undefined;
  /** The tables with which it was checked; undefined: it is not checked yet. */
  readonly tables?: FilterTableDigests | undefined;
}

/** SHA-256 of the files that a filter reads. The filter is loaded again when one of them changes. */
export interface FilterTableDigests {
  /** By the names of the pattern files, and of the files of `lookup`. */
  readonly files: Readonly<Record<string, string>>;
  /** Of the MaxMind database. */
  readonly geoip?: string | undefined;
}

/** The errors of a filter of an emitter since it was loaded. */
export interface FilterErrorReport extends FilterErrors {
  readonly file: string;
}
