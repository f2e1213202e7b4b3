import type { RunningProcess } from '../../testkit/running-process.ts';
import type { FilteredRecord } from './filter-log.ts';

/**
 * A program that parses the lines of an access log, drops those whose path begins with /health, marks those with a
 * status of 500 or more, and writes the others as JSON lines to a file. One process.
 */
export interface FilterContender {
  /** Its name in the table. */
  readonly name: string;
  /** For BENCH_ONLY. */
  readonly key: string;
  /** Prepares it to run here; returns its version. Throws with the reason if that is not possible. */
  prepare(): Promise<string>;
  /** Starts it and waits until it is ready for a log. */
  start(course: FilterCourse): Promise<RunningProcess>;
  /** The compared fields of a line of its output. */
  read(line: unknown): FilteredRecord;
}

/** The fresh directory of a run. */
export interface FilterCourse {
  readonly directory: string;
  /** Watched; one log, `.log` at its end, appears here when the clock starts. */
  readonly logDirectory: string;
  readonly outputPath: string;
}
