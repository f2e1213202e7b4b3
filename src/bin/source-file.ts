import { open, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { CollectorConfig } from '../collector/config.ts';
import { isCompressed } from '../collector/sources/tail/path-patterns.ts';
import { CommandError } from './command-error.ts';
import { count, printable } from './text-table.ts';

interface SourceFileProblem {
  /** For a person, a whole sentence. */
  readonly message: string;
  /** Somebody who waits may see it pass. */
  readonly mayPass: boolean;
}

/**
 * Looks at the file of `--source` before anything is started: a slip is told at once, by a CommandError. With `--watch`,
 * what may pass is waited for.
 */
export async function checkSourceFile(
  { sourceFile, once }: Pick<CollectorConfig, 'sourceFile' | 'once'>,
  logger: Logger,
): Promise<void> {
  const problem = sourceFile === undefined ? undefined : await problemOf(sourceFile);
  if (problem === undefined) return;
  if (once || !problem.mayPass) throw new CommandError(problem.message);
  logger.warn({ path: sourceFile }, `${problem.message} Waiting for it.`);
}

async function problemOf(path: string): Promise<SourceFileProblem | undefined> {
  const problem = (what: string, mayPass = false) => ({ message: `${printable(path)} ${what}.`, mayPass });
  if (isCompressed(path)) return problem('is compressed: unpack it first');
  try {
    const found = await stat(path);
    if (found.isDirectory())
      return problem("is a directory: name a file, or follow all of it with --tail '.../*'");
    // Opening a pipe would wait for its writer.
    if (!found.isFile()) return problem('is not a regular file: write it into one, and read that');
    await (await open(path)).close();
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return problem('does not exist', true);
    if (code === 'EACCES' || code === 'EPERM') return problem('may not be read by this user', true);
    return problem(`cannot be read (${message})`);
  }
}

/** What a run with `--source` ends with, for people or as JSON. */
export function sourceFileReport(
  path: string,
  { records, bytes }: { readonly records: number; readonly bytes: number },
  { json }: { readonly json: boolean },
): string {
  if (json) return `${JSON.stringify({ source: path, records, bytes })}\n`;
  const amount = `${count(records)} record${records === 1 ? '' : 's'}, ${count(bytes)} bytes`;
  return `Read ${amount} of ${printable(path)}${records === 0 ? ': nothing new' : ''}\n`;
}
