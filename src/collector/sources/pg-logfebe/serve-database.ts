import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type ParsedServes, parseServes, type ServeRules } from '../../../protocols/febe/parse-serves.ts';
import { replaceFile } from '../../../runtime/files/replace-file.ts';
import { syncDirectory } from '../../../runtime/files/sync-directory.ts';
import { type Tenant, tenantOf } from './tenant.ts';

/*
 * The serve database: a directory in which an operator or a program lists the PostgreSQL servers that may send.
 *
 *     serves.new       a submitted list; renamed to this name by the operator
 *     serves.claimed   the list that is being checked (for a moment, or after a crash)
 *     serves.loaded    the list in use: a copy of the last accepted one
 *     serves.rej       the last rejected list
 *     last_error       the reason of that rejection
 *
 *                     accepted:  temporary copy, fsync -> rename to serves.loaded, fsync directory
 *                   ,----------> -> unlink serves.claimed, fsync directory -> unlink last_error, serves.rej
 *     serves.new --rename--> serves.claimed
 *                   `----------> rename to serves.rej -> last_error
 *                     rejected:  serves.loaded is untouched
 *
 * A list that is submitted while another is checked is not lost, because only the claimed file is unlinked. A crash at
 * any point leaves the old or the new list in use, never a mix. A file that is still claimed at the next start is checked
 * again, which changes nothing if it was accepted.
 */
export interface ServeDatabaseOptions extends ServeRules {
  readonly directory: string;
}

/** The result of a check of the directory. */
export type ServeChange =
  | { readonly kind: 'none' }
  | { readonly kind: 'accepted'; readonly tenants: readonly Tenant[] }
  | { readonly kind: 'rejected'; readonly reason: string };

/** The name of a submitted list. */
export const SUBMITTED_NAME = 'serves.new';
const CLAIMED = 'serves.claimed';
const LOADED = 'serves.loaded';
const REJECTED = 'serves.rej';
const LAST_ERROR = 'last_error';
const TEMPORARY = '.temporary-';
/** Some hundred thousand tenants; a larger file is a mistake. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

export class ServeDatabase {
  readonly #options: ServeDatabaseOptions;

  constructor(options: ServeDatabaseOptions) {
    this.#options = options;
  }

  /** Returns the tenants in use; none when there is no list. Throws when the list is damaged or cannot be read. */
  async load(): Promise<readonly Tenant[]> {
    await this.#removeTemporaries();
    const bytes = await ifExists(readFile(this.#path(LOADED)));
    if (bytes === undefined) return [];
    const parsed = this.#parse(bytes, false);
    if (parsed.kind === 'rejected')
      throw new Error(
        `${this.#path(LOADED)} ${parsed.reason}. Correct it, or remove it and submit serves.new again.`,
      );
    return parsed.records.map(tenantOf);
  }

  /**
   * Checks once for a submitted list, and accepts or rejects it. Rejects with the error of the file system when the
   * directory cannot be used; the next call checks the list again.
   */
  async poll(): Promise<ServeChange> {
    const claimed = this.#path(CLAIMED);
    if (!(await exists(claimed)) && !(await renameIfExists(this.#path(SUBMITTED_NAME), claimed)))
      return { kind: 'none' };
    const parsed = await this.#readClaimed(claimed);
    if (parsed.kind === 'rejected') {
      await this.#reject(parsed.reason);
      return parsed;
    }
    await this.#accept(parsed);
    return { kind: 'accepted', tenants: parsed.records.map(tenantOf) };
  }

  async #readClaimed(path: string): Promise<ClaimedList> {
    const { bytes, mode, fault } = await readSubmitted(path);
    if (fault !== undefined) return { kind: 'rejected', reason: fault };
    const parsed = this.#parse(bytes, true);
    return parsed.kind === 'rejected' ? parsed : { ...parsed, bytes, mode };
  }

  async #accept({ bytes, mode }: Extract<ClaimedList, { kind: 'records' }>): Promise<void> {
    const temporary = this.#path(`${LOADED}${TEMPORARY}${randomBytes(6).toString('hex')}`);
    await replaceFile(this.#path(LOADED), bytes, { temporary, mode });
    await unlink(this.#path(CLAIMED));
    await syncDirectory(this.#options.directory);
    await rm(this.#path(LAST_ERROR), { force: true }).catch(() => {});
    await rm(this.#path(REJECTED), { force: true }).catch(() => {});
  }

  async #reject(reason: string): Promise<void> {
    await rm(this.#path(REJECTED), { recursive: true, force: true });
    await rename(this.#path(CLAIMED), this.#path(REJECTED));
    // By rename, because a last_error of another owner can be replaced, but not written.
    const temporary = this.#path(`${LAST_ERROR}${TEMPORARY}${randomBytes(6).toString('hex')}`);
    await replaceFile(this.#path(LAST_ERROR), `${SUBMITTED_NAME} ${reason}\n`, { temporary, mode: 0o644 });
  }

  #parse(bytes: Uint8Array, credentialsChecked: boolean): ParsedServes {
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return { kind: 'rejected', reason: 'is not UTF-8' };
    }
    return parseServes(text, { ...this.#options, credentialsChecked });
  }

  /** Removes the files that a crash left in the middle of an acceptance. */
  async #removeTemporaries(): Promise<void> {
    for (const name of await readdir(this.#options.directory))
      if (name.startsWith(LOADED + TEMPORARY) || name.startsWith(LAST_ERROR + TEMPORARY))
        await rm(this.#path(name), { force: true });
  }

  #path(name: string): string {
    return join(this.#options.directory, name);
  }
}

type ClaimedList =
  | Extract<ParsedServes, { kind: 'rejected' }>
  | (Extract<ParsedServes, { kind: 'records' }> & { readonly bytes: Uint8Array; readonly mode: number });

interface Submitted {
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly fault?: string;
}

/** Any file may be renamed to serves.new. Reading a pipe would never end; reading a directory is not possible. */
async function readSubmitted(path: string): Promise<Submitted> {
  const nothing = { bytes: new Uint8Array(0), mode: 0 };
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return { ...nothing, fault: 'is not a regular file' };
    if (stats.size > MAX_FILE_BYTES)
      return { ...nothing, fault: `has ${stats.size} bytes, more than the limit of ${MAX_FILE_BYTES}` };
    // The copy has the same secrets, so it gets the same permissions.
    return { bytes: await readFile(path), mode: stats.mode & 0o777 };
  } catch (error) {
    return { ...nothing, fault: `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})` };
  }
}

async function exists(path: string): Promise<boolean> {
  return (await ifExists(stat(path))) !== undefined;
}

async function renameIfExists(from: string, to: string): Promise<boolean> {
  return (await ifExists(rename(from, to).then(() => true))) ?? false;
}

async function ifExists<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
