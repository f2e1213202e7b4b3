import { dirname } from 'node:path';
import { loadFilterTables } from '../../filter-files/load-filter-tables.ts';
import { compileFilter } from '../../filters/compile-filter.ts';
import { problemText } from '../../filters/filter-problem.ts';
import type { FilterProgram } from '../../filters/filter-program.ts';
import { runFilterTests } from '../../filters/filter-tests.ts';
import type { FilterSource } from './filter-source.ts';

/** Compiles a filter for an emitter. Throws FilterInvalidError with all problems. */
export async function loadFilter(
  source: FilterSource,
  emitter: string | undefined,
  { runsTests = false } = {},
): Promise<FilterProgram> {
  const { file, text, directory = dirname(file) } = source;
  const tables = await loadFilterTables({ directory, geoipFile: source.geoip, live: source.live });
  const compiled = compileFilter(text, { file, tables, emitter });
  if (compiled.kind === 'problems') throw new FilterInvalidError(compiled.problems.map(problemText));
  const failed = runsTests ? failedTests(source, runFilterTests(text, { file, tables })) : [];
  if (failed.length > 0) throw new FilterInvalidError(failed);
  return compiled.program;
}

/** Each problem is one line, with its place. */
export class FilterInvalidError extends Error {
  override readonly name = 'FilterInvalidError';

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

function failedTests({ file }: FilterSource, results: ReturnType<typeof runFilterTests>): readonly string[] {
  return results.flatMap(({ name, failure }) =>
    failure === undefined
      ? []
      : [`${file}:${failure.line}:1: test ${JSON.stringify(name)} failed: ${failure.reason}`],
  );
}
