import type { Logger } from 'pino';
import type { Json } from '../records/json.ts';
import { CommandError } from './command-error.ts';
import type { TailInputs } from './tail-inputs.ts';
import { tailMatches } from './tail-matches.ts';

/**
 * Checks the files before the start. A one-shot run fails if it cannot read any of them; otherwise it reads the others,
 * and the returned problems are left. Another run waits for the files and logs that.
 */
export async function checkTail(
  { tail, once, sourceFile }: TailInputs,
  logger: Logger,
): Promise<readonly string[]> {
  // check-source-file.ts checks the file of --source.
  if (sourceFile !== undefined) return [];
  const matches = await tailMatches(tail);
  const problems = matches.flatMap((each) => each.problems);
  if (once && problems.length > 0 && matches.every(({ files }) => files.length === 0))
    throw new CommandError(problems.join('\n'));
  if (once) return problems;
  for (const problem of problems) logger.warn(`${problem} Waiting for it`);
  return [];
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
