import type { Logger } from 'pino';
import type { Json } from '../records/json.ts';
import { CommandError } from './command-error.ts';
import type { TailInputs } from './tail-inputs.ts';
import { tailMatches } from './tail-matches.ts';

/**
 * Checks the files before the start: a one-shot run fails for files that it cannot read; another run waits
 * for them and logs that.
 */
export async function checkTail({ tail, once, sourceFile }: TailInputs, logger: Logger): Promise<void> {
  // check-source-file.ts checks the file of --source.
  if (sourceFile !== undefined) return;
  const problems = (await tailMatches(tail)).flatMap((each) => each.problems);
  if (problems.length === 0) return;
  if (once) throw new CommandError(problems.join('\n'));
  for (const problem of problems) logger.warn(`${problem} Waiting for it`);
}

/** For --check: the files that each pattern matches. */
export async function tailReport({ tail }: Pick<TailInputs, 'tail'>): Promise<Json> {
  return (await tailMatches(tail)).map(({ pattern, files, isCut, problems }) => ({
    pattern,
    files,
    ...(isCut && { more: true }),
    ...(problems.length > 0 && { problems }),
  }));
}
