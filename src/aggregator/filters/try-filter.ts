import { jsonRecord } from '../../emitters/json-record.ts';
import { type FilterTableFiles, loadFilterTables } from '../../filter-files/load-filter-tables.ts';
import { compileFilter, type FilterTrace } from '../../filters/compile-filter.ts';
import type { FilterProblem } from '../../filters/filter-problem.ts';
import { recordsAfter } from '../../filters/filter-tests.ts';
import { recordView } from '../../formats/record-view.ts';
import type { LogRecord } from '../../records/log-record.ts';
import type { RecordBatch } from '../../records/record-batch.ts';

/** A record as in JSON outputs. */
export interface ShownRecord {
  readonly [key: string]: unknown;
  readonly body: string;
}

/** The result of a filter for one record. */
export interface TriedRecord {
  readonly before: ShownRecord;
  /** Empty: the filter drops it. */
  readonly after: ShownRecord[];
  /** The lines of the filter that ran. */
  readonly lines: number[];
  /** The emitters that `route` named. */
  readonly routes: string[];
}

export interface FilterTryResult {
  readonly problems: readonly FilterProblem[];
  readonly records: TriedRecord[];
  /** Values that the filter could not use. */
  readonly errors: FilterTryErrors;
}

export interface FilterTryErrors {
  readonly total: number;
  /** The first ones. */
  readonly samples: { readonly line: number; readonly reason: string; readonly value: string }[];
}

/** Runs a filter over records, without any effect. */
export async function tryFilter(
  text: string,
  records: readonly LogRecord[],
  files: FilterTableFiles,
): Promise<FilterTryResult> {
  const trace: FilterTrace = { lines: new Set(), routes: new Set() };
  const compiled = compileFilter(text, { file: FILE, tables: await loadFilterTables(files), trace });
  if (compiled.kind === 'problems')
    return { problems: compiled.problems, records: [], errors: { total: 0, samples: [] } };
  const { program } = compiled;
  const tried = records.map((record) => {
    const after = recordsAfter(record, program.run(record)).map(shown);
    const lines = [...trace.lines].sort((a, b) => a - b);
    return { before: shown(record), after, lines, routes: [...trace.routes] };
  });
  const { total, samples } = program.errors;
  const errors = { total, samples: samples.map(({ line, reason, value }) => ({ line, reason, value })) };
  return { problems: [], records: tried, errors };
}

/** The last records of entries of the queue, in their order. `entries`: the newest first. */
export function lastRecords(entries: readonly RecordBatch[], limit: number): readonly LogRecord[] {
  const records: LogRecord[] = [];
  for (const batch of entries) {
    for (let index = batch.sizes.length - 1; index >= 0 && records.length < limit; index--)
      records.unshift(recordView(batch, index));
  }
  return records;
}

/** The name of a filter that is not in a file. */
const FILE = 'try.filter';

function shown(record: LogRecord): ShownRecord {
  return JSON.parse(jsonRecord(record)) as ShownRecord;
}
