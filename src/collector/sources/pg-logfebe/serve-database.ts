import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type ParsedServes, parseServes, type ServeRules } from '../../../protocols/febe/parse-serves.ts';
import { syncDirectory } from '../../../storage/state/file-system.ts';
import { type Tenant, tenantOf } from './tenant.ts';

/*
 * The serve database: a directory through which an operator, or his program, says who may send.
 *
 *     serves.new       submitted; put there by rename
 *     serves.claimed   being looked at (only for a moment, or after a crash)
 *     serves.loaded    what is in force: a copy of what was accepted
 *     serves.rej       what was rejected last
 *     last_error       why
 *
 *                     accepted:  temporary copy, fsync -> rename to serves.loaded, fsync directory
 *                   ,----------> -> unlink serves.claimed, fsync directory -> unlink last_error, serves.rej
 *     serves.new --rename--> serves.claimed
 *                   `----------> rename to serves.rej -> last_error
 *                     rejected:  serves.loaded is untouched
 *
 * A file that is swapped in while another is looked at is not lost: only what was claimed is unlinked. A crash at any
 * point leaves the old list or the new one in force, never a mix; a file still claimed at the next start is looked at
 * again, which changes nothing when it had been accepted.
 */
export interface ServeDatabaseOptions extends ServeRules {
  readonly directory: string;
}

/** What a look at the directory found. */
export type ServeChange =
  | { readonly kind: 'none' }
  | { readonly kind: 'accepted'; readonly tenants: readonly Tenant[] }
  | { readonly kind: 'rejected'; readonly reason: string };

const NEW = 'serves.new';
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

  /** What is in force. Throws when that cannot be told: no list at all is fine, a broken one is not. */
  async load(): Promise<readonly Tenant[]> {
    await this.#removeTemporaries();
    const bytes = await ifThere(readFile(this.#path(LOADED)));
    if (bytes === undefined) return [];
    const parsed = this.#parse(bytes, false);
    if (parsed.kind === 'rejected')
      throw new Error(
        `${this.#path(LOADED)} ${parsed.reason}. Correct it, or remove it and submit serves.new again.`,
      );
    return parsed.records.map(tenantOf);
  }

  /**
   * Looks once for a submitted list and accepts or rejects it. Rejects with the file system's error when the directory
   * cannot be used; the list is then looked at again the next time.
   */
  async poll(): Promise<ServeChange> {
    const claimed = this.#path(CLAIMED);
    if (!(await isThere(claimed)) && !(await renameIfThere(this.#path(NEW), claimed)))
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
    await writeDurably(temporary, bytes, mode);
    await rename(temporary, this.#path(LOADED));
    await syncDirectory(this.#options.directory);
    await unlink(this.#path(CLAIMED));
    await syncDirectory(this.#options.directory);
    await rm(this.#path(LAST_ERROR), { force: true }).catch(() => {});
    await rm(this.#path(REJECTED), { force: true }).catch(() => {});
  }

  async #reject(reason: string): Promise<void> {
    await rm(this.#path(REJECTED), { recursive: true, force: true });
    await rename(this.#path(CLAIMED), this.#path(REJECTED));
    // By rename: a last_error of another owner can be replaced, but not written to.
    const temporary = this.#path(`${LAST_ERROR}${TEMPORARY}${randomBytes(6).toString('hex')}`);
    await writeDurably(temporary, Buffer.from(`${NEW} ${reason}\n`), 0o644);
    await rename(temporary, this.#path(LAST_ERROR));
    await syncDirectory(this.#options.directory);
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

  /** What a crash left in the middle of an acceptance. */
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

/** Anything may be renamed to serves.new: a pipe would be read for ever, a directory not at all. */
async function readSubmitted(path: string): Promise<Submitted> {
  const nothing = { bytes: new Uint8Array(0), mode: 0 };
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return { ...nothing, fault: 'is not a regular file' };
    if (stats.size > MAX_FILE_BYTES) return { ...nothing, fault: `has more than ${MAX_FILE_BYTES} bytes` };
    // What might be read before may be read after: the copy holds the same secrets.
    return { bytes: await readFile(path), mode: stats.mode & 0o777 };
  } catch (error) {
    return { ...nothing, fault: `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})` };
  }
}

async function writeDurably(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await ifThere(stat(path))) !== undefined;
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  return (await ifThere(rename(from, to).then(() => true))) ?? false;
}

async function ifThere<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
