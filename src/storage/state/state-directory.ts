import { access, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { replaceFile } from '../../runtime/files/replace-file.ts';
import { isHeldByEarlierVersion } from './earlier-lock.ts';
import {
  StateDirectoryBusyError,
  type StateDirectoryOwner,
  StateDirectoryUnusableError,
  StateDirectoryVersionError,
} from './state-directory-error.ts';
import { type DirectoryLock, isLocked, lockDirectory } from './state-directory-lock.ts';

export class StateDirectory {
  readonly path: string;
  readonly #lock: DirectoryLock;
  #released = false;

  /**
   * Creates the directory if needed and locks it for this process. Rejects with a StateDirectoryBusyError
   * when another process holds it, with a StateDirectoryUnusableError when this program cannot use its
   * content.
   */
  static async acquire(path: string, options: StateDirectoryOptions): Promise<StateDirectory> {
    await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: Error) => {
      throw new Error(`Cannot create the state directory ${path}: ${error.message}`, { cause: error });
    });
    const lock = await lockFor(path);
    if (lock === undefined) throw new StateDirectoryBusyError(path, await readOwner(path));
    try {
      await settleLayout(path, options);
      // For example on a full disk: the process works without this note.
      await writeOwner(path, options.role).catch(() => undefined);
      return new StateDirectory(path, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** How this process finds the directory now. Changes nothing; another process may lock it at any moment. */
  static async usage(path: string): Promise<StateDirectoryUsage> {
    try {
      if (!(await hasState(path))) return 'absent';
      if ((await stat(path)).uid !== process.geteuid?.()) return 'unavailable';
      const isHeld =
        (await isHeldByEarlierVersion(path, (await readOwner(path))?.pid)) || (await isLocked(path));
      return isHeld ? 'unavailable' : 'free';
    } catch {
      return 'unavailable';
    }
  }

  private constructor(path: string, lock: DirectoryLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** Safe to call twice. Close all files in the directory first. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await rm(join(this.path, OWNER_FILE), { force: true }).catch(() => undefined);
    await this.#lock.release();
  }
}

/**
 * /* The state of a collector or an aggregator: one directory, which has one owner at a time.
 *
 *     <state directory>/        mode 0700
 *       layout.json             which half laid it out, and the version of the layout
 *       owner.json              who holds it: process id, host, since; only for the refusal of a second one
 *       lock.N                  the lock
 *       state/, queue/, ...     what the half keeps
 *
 * How the lock works says `state-directory-lock.ts`; `owner.json` is no lock, and one left behind by a killed
 * process means nothing.
 */
export interface StateDirectoryOptions {
  readonly role: 'collector' | 'aggregator';
  /** The layout this program writes. */
  readonly layoutVersion: number;
  /**
   * Brings an older layout to this version; called with the lock held. Must be safe to repeat after a crash.
   */
  readonly migrate?: (path: string, fromVersion: number) => Promise<void>;
}

/** `unavailable`: another process holds it, or it belongs to another user. */
export type StateDirectoryUsage = 'absent' | 'free' | 'unavailable';

interface Layout {
  readonly role: string;
  readonly version: number;
}

async function lockFor(path: string): Promise<DirectoryLock | undefined> {
  if (await isHeldByEarlierVersion(path, (await readOwner(path))?.pid)) return undefined;
  return lockDirectory(path).catch((error: Error) => {
    throw new StateDirectoryUnusableError(
      `Cannot lock the state directory ${path}: ${error.message}. Make it writable for this user, then restart.`,
      { cause: error },
    );
  });
}

const LAYOUT_FILE = 'layout.json';
const OWNER_FILE = 'owner.json';

async function settleLayout(path: string, { role, layoutVersion, migrate }: StateDirectoryOptions) {
  const layout = await readLayout(path, { role, version: layoutVersion });
  if (layout !== undefined && layout.role !== role) {
    throw new StateDirectoryVersionError(
      `The state directory ${path} belongs to the ${layout.role}. Use another directory for the ${role}.`,
    );
  }
  if (layout !== undefined && layout.version > layoutVersion) {
    throw new StateDirectoryVersionError(
      `The state directory ${path} has layout ${layout.version}, written by a newer mega-collector; this one reads up ` +
        `to ${layoutVersion}. Run the newer version again, or use another directory for this one.`,
    );
  }
  if (layout !== undefined && layout.version < layoutVersion) await migrate?.(path, layout.version);
  if (layout?.version !== layoutVersion) {
    await writeLayout(path, { role, version: layoutVersion }).catch((error: Error) => {
      throw new StateDirectoryUnusableError(
        `Cannot write ${join(path, LAYOUT_FILE)}: ${error.message}. Make room or the directory writable, then restart.`,
        { cause: error },
      );
    });
  }
}

/** undefined: the directory is new. `current` is the value for the advice in an error. */
async function readLayout(path: string, current: Layout): Promise<Layout | undefined> {
  const file = join(path, LAYOUT_FILE);
  const text = await readIfThere(file);
  if (text === undefined && !(await hasState(path))) return undefined;
  const { role, version } = parseObject(text ?? '');
  if (typeof role === 'string' && typeof version === 'number') return { role, version };
  const what = text === undefined ? 'is missing' : 'is damaged';
  throw new StateDirectoryVersionError(
    `${file} ${what}. When this version wrote the state last, restore the file and restart: ` +
      `printf '%s' '${JSON.stringify(current)}' > '${file}'. Otherwise move ${path} away.`,
  );
}

/** The layout is written first: state without it has lost its layout file. */
async function hasState(path: string): Promise<boolean> {
  return access(join(path, 'state', 'data.mdb')).then(
    () => true,
    () => false,
  );
}

async function readOwner(path: string): Promise<StateDirectoryOwner | undefined> {
  // A file of another user may not be readable.
  const text = await readFile(join(path, OWNER_FILE), 'utf8').catch(() => '');
  const { role, pid, host, since, command } = parseObject(text);
  const known = (role === 'collector' || role === 'aggregator') && typeof pid === 'number';
  if (!known) return undefined;
  return {
    role,
    pid,
    host: String(host),
    since: String(since),
    command: typeof command === 'string' ? command : role,
  };
}

async function writeOwner(path: string, role: StateDirectoryOwner['role']): Promise<void> {
  const owner: StateDirectoryOwner = {
    role,
    pid: process.pid,
    host: hostname(),
    since: new Date(Date.now() - process.uptime() * 1000).toISOString(),
    command: commandOf(process.argv),
  };
  await writeFile(join(path, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
}

/** The program and its command, without arguments: these may contain secrets. */
function commandOf([, script = '', command = '']: readonly string[]): string {
  const program = basename(script).replace(/\.[jt]s$/, '');
  return /^[a-z][a-z-]*$/.test(command) ? `${program} ${command}` : program;
}

async function writeLayout(directory: string, layout: Layout): Promise<void> {
  const path = join(directory, LAYOUT_FILE);
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  await replaceFile(path, JSON.stringify(layout), { temporary, mode: 0o600 });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StateDirectoryUnusableError(`Cannot read ${path}: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
