import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConnectionFailure } from '../runtime/connection-trial.ts';

/** Whether this user may write a file, or create it with its directories. Changes nothing. */
export async function tryWriting(path: string): Promise<ConnectionFailure | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (!(found instanceof Error)) {
    if (found.isDirectory()) return { reason: 'it is a directory (EISDIR)', remedy: 'Name a file' };
    return await tryAccess(path, constants.W_OK);
  }
  if (found.code !== 'ENOENT') return failureOf(found, path);
  return await tryDirectory(dirname(path));
}

/** The nearest directory that exists: those below it are created. */
async function tryDirectory(path: string): Promise<ConnectionFailure | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    return found.code === 'ENOENT' && dirname(path) !== path
      ? await tryDirectory(dirname(path))
      : failureOf(found, path);
  }
  if (!found.isDirectory())
    return { reason: `${path} is not a directory (ENOTDIR)`, remedy: 'Correct the path' };
  return await tryAccess(path, constants.W_OK | constants.X_OK);
}

async function tryAccess(path: string, mode: number): Promise<ConnectionFailure | undefined> {
  return await access(path, mode).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => failureOf(error, path),
  );
}

function failureOf({ code = 'unknown error' }: NodeJS.ErrnoException, path: string): ConnectionFailure {
  const isReadOnly = code === 'EROFS';
  return {
    reason: isReadOnly
      ? `${path} is on a read-only file system (${code})`
      : `cannot write to ${path} (${code})`,
    remedy: isReadOnly
      ? 'Name a path on another file system'
      : 'Give this user permission to write there, or run as another user',
  };
}
