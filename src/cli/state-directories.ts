import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  defaultStateDirectory,
  onceStandaloneStateDirectory,
  onceStateDirectory,
  type Role,
  standaloneStateDirectory,
} from '../runtime/configuration/state-directory.ts';
import { CommandError } from './command-error.ts';
import { fileErrorText } from './output/file-error-text.ts';
import type { Io } from './output/io.ts';

/** A directory that a command works on. */
export interface KnownStateDirectory {
  readonly path: string;
  readonly role: Role;
}

const ROLES: readonly Role[] = ['collector', 'aggregator'];

/**
 * Finds the state directories of a command: the given one, or for each role the directory of its variable, or
 * else the defaults that exist (its own, that of a `standalone`, and those of one-shot runs). Throws
 * CommandError if there is none.
 */
export async function findStateDirectories(
  io: Io,
  given: string | undefined,
  roles = ROLES,
): Promise<readonly KnownStateDirectory[]> {
  if (given !== undefined) return [await givenDirectory(resolve(given), roles)];
  const candidates = roles.flatMap((role) => candidatesOf(io, role));
  const found: KnownStateDirectory[] = [];
  for (const { role, path } of candidates) if (await isDirectory(path)) found.push({ role, path });
  if (found.length > 0) return found;
  const looked = candidates.map(({ path }) => path).join(' and ');
  throw new CommandError(
    `Cannot find a state directory${looked === '' ? '' : ` at ${looked}`}. Name it with --state-directory.`,
  );
}

async function givenDirectory(path: string, roles: readonly Role[]): Promise<KnownStateDirectory> {
  if (!(await isDirectory(path)))
    throw new CommandError(`Cannot find a state directory at ${path}. Check the path.`);
  const role = await readRole(path);
  if (role === undefined) throw new CommandError(`${path} is not a state directory of mega-collector.`);
  if (roles.includes(role)) return { path, role };
  throw new CommandError(
    `${path} belongs to the ${role}; this command needs the state directory of the ${roles.join()}.`,
  );
}

function candidatesOf({ environment, userId }: Io, role: Role): readonly KnownStateDirectory[] {
  const configured = environment[`${role.toUpperCase()}_STATE_DIRECTORY`];
  const paths = configured
    ? [configured]
    : [
        defaultStateDirectory(role, environment, userId),
        standaloneStateDirectory(role, environment, userId),
        ...(role === 'collector' ? [onceStateDirectory(environment, userId)] : []),
        onceStandaloneStateDirectory(role, environment, userId),
      ];
  return paths.flatMap((path) => (path === undefined ? [] : [{ role, path: resolve(path) }]));
}

/**
 * Rejects with a CommandError if the system denies the access: that is not the same as a missing directory.
 */
async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw new CommandError(`Cannot read the state directory ${path}: ${fileErrorText(error)}`);
  }
}

/** The role that the directory itself names (`src/storage/state/state-directory.ts` writes it). */
async function readRole(path: string): Promise<Role | undefined> {
  const text = await readFile(join(path, 'layout.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new CommandError(`Cannot read the state directory ${path}: ${fileErrorText(error)}`);
  });
  return ROLES.find((role) => text.includes(`"role":"${role}"`));
}
