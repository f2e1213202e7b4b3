import { open, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { CollectorConfig } from '../collector/config.ts';
import { isCompressed } from '../collector/sources/tail/files/path-patterns.ts';
import { CommandError } from './command-error.ts';
import { fileErrorText } from './output/file-error-text.ts';
import { jsonText } from './output/json-text.ts';
import { count, printable } from './output/text-table.ts';

interface SourceFileProblem {
  /** For a person, a whole sentence. */
  readonly message: string;
  /** It may end while `--watch` waits. */
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

/** Errors that another user or program can resolve while `--watch` waits. */
const PASSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']);

async function problemOf(path: string): Promise<SourceFileProblem | undefined> {
  const problem = (what: string) => ({
    message: `Cannot read ${printable(path)}: ${what}.`,
    mayPass: false,
  });
  if (isCompressed(path)) return problem('it is compressed. Unpack it first');
  try {
    const found = await stat(path);
    if (found.isDirectory())
      return problem(
        "it is a directory (EISDIR). Name a file, or follow all of its files with --tail '.../*'",
      );
    // Opening a pipe would wait for its writer.
    if (!found.isFile())
      return problem('it is not a regular file. Copy its content to a file, and read that file');
    await (await open(path)).close();
    return undefined;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return {
      message: `Cannot read ${printable(path)}: ${fileErrorText(error)}`,
      mayPass: PASSING.has(code),
    };
  }
}

/** Why a file that was written again with the same lines adds nothing. */
const NOTHING_NEW =
  ': nothing new. The same bytes in a file are the same stream, and they are stored once. Append to the file (>>) to add records.';

/** What a run with `--source` ends with, for people or as JSON. */
export function sourceFileReport(
  path: string,
  { records, bytes }: { readonly records: number; readonly bytes: number },
  { json }: { readonly json: boolean },
): string {
  if (json) return `${jsonText({ source: path, records, bytes })}\n`;
  const amount = `${count(records)} record${records === 1 ? '' : 's'}, ${count(bytes)} bytes`;
  return `Read ${amount} of ${printable(path)}${records === 0 ? NOTHING_NEW : ''}\n`;
}
