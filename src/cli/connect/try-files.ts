import { open } from 'node:fs/promises';
import type { TailEntry } from '../../collector/sources/tail/files/tail-configuration.ts';
import type { ConnectionFailure, ConnectionTrial } from '../../runtime/connection-trial.ts';
import { fileErrorText } from '../output/file-error-text.ts';
import { printable } from '../output/text-table.ts';
import { tailMatches } from '../tail-matches.ts';

/**
 * Opens each file that a pattern matches and reads one byte. A pattern that matches no file is a failure,
 * too.
 */
export async function tryFiles(entries: readonly TailEntry[]): Promise<readonly ConnectionTrial[]> {
  const trials = new Map<string, ConnectionTrial>();
  for (const { pattern, files, problems } of await tailMatches(entries)) {
    for (const path of files) trials.set(path, await tryFile(path));
    for (const problem of problems)
      trials.set(problem, { target: printable(pattern), failure: whole(problem) });
  }
  return [...trials.values()];
}

async function tryFile(path: string): Promise<ConnectionTrial> {
  const target = printable(path);
  const failure = await readError(path);
  return failure === undefined ? { target } : { target, failure };
}

async function readError(path: string): Promise<ConnectionFailure | undefined> {
  try {
    const handle = await open(path);
    try {
      await handle.read(Buffer.alloc(1), 0, 1, 0);
    } finally {
      await handle.close();
    }
    return undefined;
  } catch (error) {
    return whole(fileErrorText(error));
  }
}

/** The sentences already contain the remedy. */
function whole(sentences: string): ConnectionFailure {
  return { reason: sentences.replace(/\.$/, '') };
}
