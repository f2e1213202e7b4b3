import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isCompressed } from '../../collector/sources/tail/files/path-patterns.ts';
import { isLocked } from '../../storage/state/state-directory-lock.ts';
import { CommandError } from '../command-error.ts';
import { fileErrorText } from '../output/file-error-text.ts';
import { printable } from '../output/text-table.ts';

export type SearchTarget =
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  | { readonly kind: 'database'; readonly path: string };

/** Finds out whether the arguments of `search` are files or one state directory. Throws CommandError. */
export async function searchTarget(paths: readonly string[]): Promise<SearchTarget> {
  for (const path of paths) {
    const isDirectory = await checkReadable(path);
    if (!isDirectory) continue;
    const database = await databaseIn(path);
    if (database === undefined) {
      throw new CommandError(
        `Cannot search ${printable(path)}: it is a directory without a store. Name files (${printable(join(path, '*'))}) or the state directory of an aggregator.`,
      );
    }
    if (paths.length > 1)
      throw new CommandError('Cannot search a state directory together with other files.');
    return { kind: 'database', path: database };
  }
  return { kind: 'files', paths };
}

async function checkReadable(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return true;
    if (isCompressed(path)) {
      throw new CommandError(`Cannot search ${printable(path)}: it is compressed. Unpack it first.`);
    }
    await access(path, constants.R_OK);
    return false;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`Cannot read ${printable(path)}: ${fileErrorText(error)}`);
  }
}

/** The database of an aggregator, or of a standalone, whose halves are below one directory. */
async function databaseIn(directory: string): Promise<string | undefined> {
  for (const state of [directory, join(directory, 'aggregator')]) {
    const names = await readdir(join(state, 'duckdb')).catch(() => []);
    for (const name of names) {
      const path = join(state, 'duckdb', name, 'logs.duckdb');
      if (!(await stat(path).catch(() => undefined))?.isFile()) continue;
      if (await isLocked(state).catch(() => false)) {
        throw new CommandError(
          `Cannot search ${printable(state)}: an aggregator is running with it. Query the aggregator: mega-collector monitor logs.`,
        );
      }
      return path;
    }
  }
  return undefined;
}
