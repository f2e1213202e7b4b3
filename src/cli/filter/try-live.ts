import { readFile } from 'node:fs/promises';
import { tryFilterOperation } from '../../aggregator/api/operations/filter-operations.ts';
import type { TriedRecord } from '../../aggregator/filters/try-filter.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../output/exit-codes.ts';
import { fileErrorText } from '../output/file-error-text.ts';
import { type AggregatorFlags, callFilters } from './call-filters.ts';
import type { FilterFlags } from './open-filter.ts';
import { reportProblems } from './report-problems.ts';
import { reportTryErrors } from './report-try-errors.ts';
import { valuesOfShown } from './tried-values.ts';
import { jsonTry, tryText } from './try-text.ts';

interface LiveFlags extends FilterFlags, AggregatorFlags {
  readonly count: number;
  readonly format?: unknown;
  readonly emitter?: string;
}

const MAX_RECORDS = 100;

/** Runs a filter on the newest records of a running aggregator, with the tables of its filter directory. */
export async function tryLive(context: Context, file: string, flags: LiveFlags): Promise<void> {
  const { count, json } = flags;
  refuseFlagsOfFiles(flags);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError(`Cannot read ${file}: ${fileErrorText(error)}`);
  });
  const { io } = context;
  const answer = await callFilters(io, flags, tryFilterOperation, { body: { text, limit: count } });
  const { problems, records, errors = { total: 0, samples: [] } } = answer;
  if (problems.length > 0)
    return reportProblems(
      context,
      problems.map((problem) => ({ ...problem, file })),
      flags,
    );
  if (records.length === 0) io.stderr.write('The queue of the aggregator has no records.\n');
  for (const record of records) io.stdout.write(triedText(record, json === true));
  reportTryErrors(io, file, errors);
}

function refuseFlagsOfFiles({ count, patterns, geoip, format, emitter }: LiveFlags): void {
  const given = Object.entries({ patterns, geoip, format, emitter }).find(([, value]) => value !== undefined);
  if (given !== undefined)
    throw new CommandError(
      `--${given[0]} is only for --source: with --live, the aggregator has the records and the tables.`,
      EXIT.usage,
    );
  if (count > MAX_RECORDS)
    throw new CommandError(`--count must be at most ${MAX_RECORDS} with --live, got ${count}.`, EXIT.usage);
}

function triedText({ before, after, lines, routes }: TriedRecord, asJson: boolean): string {
  const isChanged = after.length !== 1 || JSON.stringify(after[0]) !== JSON.stringify(before);
  const ran = { isChanged, lines, routes };
  const parts = after.map((record, index) => ({ record, part: after.length > 1 ? index : undefined }));
  if (asJson) return jsonTry({ before, after: parts.map(({ record, part }) => ({ ...record, part })) }, ran);
  const shown = parts.map(({ record, part }) => ({ part, values: valuesOfShown(record) }));
  return tryText({ body: before.body, before: valuesOfShown(before), after: shown, ...ran });
}
