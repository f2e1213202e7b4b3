import { type FilterProblem, problemText } from '../../filters/filter-problem.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../output/exit-codes.ts';
import { jsonText } from '../output/json-text.ts';
import { printable } from '../output/text-table.ts';

/** Reports the mistakes of a filter, which are a failure of the command. */
export function reportProblems(
  context: Context,
  problems: readonly FilterProblem[],
  { json }: { readonly json?: boolean },
): void {
  context.exitCode = EXIT.failure;
  if (json === true) context.io.stdout.write(`${jsonText({ problems }, 2)}\n`);
  else for (const problem of problems) context.io.stderr.write(`${printable(problemText(problem))}\n`);
}
