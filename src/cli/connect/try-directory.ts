import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { tryWriting } from '../../emitters/try-writing.ts';
import type { ConnectionFailure, ConnectionTrial } from '../../runtime/connection-trial.ts';
import { fileErrorText } from '../output/file-error-text.ts';
import { printable } from '../output/text-table.ts';

/**
 * Tries whether this user may read and write a directory. `isCreated`: the start creates a missing directory.
 */
export async function tryDirectory(
  what: string,
  path: string,
  { isCreated = false }: { readonly isCreated?: boolean } = {},
): Promise<ConnectionTrial> {
  const target = `${what} ${printable(path)}`;
  const failure = await failureOf(path, isCreated);
  return failure === undefined ? { target } : { target, failure };
}

async function failureOf(path: string, isCreated: boolean): Promise<ConnectionFailure | undefined> {
  try {
    if (!(await stat(path)).isDirectory())
      return { reason: 'it is not a directory (ENOTDIR)', remedy: 'Name a directory' };
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && isCreated) return await tryWriting(join(path, 'state'));
    return { reason: fileErrorText(error).replace(/\.$/, '') };
  }
}
