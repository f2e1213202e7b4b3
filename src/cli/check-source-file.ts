import { open, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { OneShotReport } from '../collector/one-shot-report.ts';
import { isCompressed } from '../collector/sources/tail/files/path-patterns.ts';
import { type Cancel, systemClock } from '../runtime/clock.ts';
import { CommandError } from './command-error.ts';
import { formatMisfit } from './format-misfit.ts';
import { fileErrorText } from './output/file-error-text.ts';
import { jsonText } from './output/json-text.ts';
import { count, printable } from './output/text-table.ts';
import { NOTHING_NEW, reportRewrites } from './report-rewrites.ts';
import type { TailInputs } from './tail-inputs.ts';

interface SourceFileProblem {
  /** A whole sentence, for people. */
  readonly message: string;
  /** Another program may resolve it while `--watch` waits. */
  readonly mayPass: boolean;
}

/**
 * Checks the file of `--source` before anything is started. Throws CommandError if it cannot be read. With `--watch`,
 * an error that another program may resolve is only logged.
 */
export async function checkSourceFile({ sourceFile, once, tail }: TailInputs, logger: Logger): Promise<void> {
  if (sourceFile === undefined) return;
  const problem = await problemOf(sourceFile);
  if (problem === undefined) {
    const [entry] = tail;
    const misfit = entry === undefined ? undefined : await formatMisfit(sourceFile, entry);
    if (misfit !== undefined) logger.warn({ path: sourceFile }, misfit);
    return;
  }
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

/** With `--source` and `--watch`: explains why a rewritten file adds nothing, until the returned function is called. */
export function watchSourceFile(
  { sourceFile, once }: Pick<TailInputs, 'sourceFile' | 'once'>,
  { report, logger }: { readonly report: () => OneShotReport; readonly logger: Logger },
): Cancel {
  if (sourceFile === undefined || once) return () => {};
  return reportRewrites({ path: sourceFile, report, clock: systemClock, logger });
}

/** The last line of a run with `--source`, as text or as JSON. */
export function sourceFileReport(
  path: string,
  { records, bytes }: { readonly records: number; readonly bytes: number },
  { json }: { readonly json: boolean },
): string {
  if (json) return `${jsonText({ source: path, records, bytes })}\n`;
  const amount = `${count(records)} record${records === 1 ? '' : 's'}, ${count(bytes)} bytes`;
  return `Read ${amount} of ${printable(path)}${records === 0 ? `: nothing new. ${NOTHING_NEW}` : ''}\n`;
}
