import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import type { Json } from '../../records/json.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { syncDirectory } from '../../runtime/files/sync-directory.ts';
import { assertLmdbFile } from './lmdb-file.ts';
import {
  growthOf,
  LMDB_PAGE_BYTES,
  LmdbRoom,
  makeLockFile,
  type TreeChange,
  type TreeShape,
} from './lmdb-room.ts';
import { CHECKSUM_CHARACTERS, checkedText, hasNoChecksum, withChecksum } from './row-checksum.ts';
import { StateStoreError } from './state-store-error.ts';

/*
 * Small durable state in LMDB. This is the only file that uses LMDB; the rest of the code uses tables and one function,
 * `write`.
 *
 * One LMDB transaction at a time
 *
 *     write(a) --> [ a ]            commit 1: a
 *     write(b) --\
 *     write(c) ---> [ b, c ]        commit 2: b and c, in this order, together
 *
 *   Changes that arrive during a commit form the next one. A change runs when its commit begins: it
 *   sees everything that was committed and what the changes before it in the same commit did. It runs to completion
 *   before LMDB gets it, so one that throws has no effect, and affects no other.
 *
 * Why not LMDB's own `transaction()`: its callback runs on this thread while the writer thread waits with the lock
 * held, and its writes before a throw are committed nevertheless. A `batch` is carried out by the writer thread
 * alone, in one transaction, because LMDB cannot close one inside a batch. Only a synchronous write transaction could
 * cut it in two: there is none after the store has been opened.
 *
 * Failed commits (lmdb 3.5.6, `writer.cpp`, `write.js`, `mdb.c`):
 *
 *   - The disk is full: this cannot happen, see `LmdbRoom`.
 *   - A page cannot be written (EIO), or fdatasync fails: the transaction is aborted, the promise of the batch
 *     rejects. Its `commitError` is a second promise, which rejects too and would end the process if unhandled.
 *     With `eventTurnBatching` there would be a third that is not accessible: it is off.
 *   - The meta page cannot be written: the environment is dead (MDB_PANIC), reads throw, and the next write would wait
 *     forever, because the writer thread ends with its lock held. So after each failure the store tries a read,
 *     and reopens the environment when that fails.
 *
 *   `overlappingSync` is off: with it a commit would be visible, and its promise resolved, before it is on disk.
 *
 * Damaged files
 *
 *   LMDB checks nothing. `assertLmdbFile` checks its pages before LMDB maps them, and every row carries a checksum of its
 *   key and text (`row-checksum.ts`). All rows are checked when the store is opened, and each row again when it is read.
 *   Between the two checks each byte in use is covered: a changed one is detected at the next start. A page that changes on
 *   the disk while the file is mapped is not detected before that; it may still end the process.
 */

export type StateKey = string | number | readonly (string | number)[];

export interface StateStore {
  /** A named part of the store. Cheap; may be called at any time. The same name returns the same table. */
  table<V extends Json>(name: string): Table<V>;
  /**
   * Runs `change` in one write transaction; resolves when it is committed and on disk. Rejects with a
   * `StateStoreError`, and nothing is changed, when LMDB fails or `change` throws (then the `cause`).
   * `change` is synchronous and runs later, in order.
   */
  write(change: () => void): Promise<void>;
  /** Waits for earlier writes, then releases the files. Safe to call twice. */
  close(): Promise<void>;
}

/** Sorted by key: numbers before strings, arrays element by element. `'a'` and `['a']` are the same key. */
export interface Table<V extends Json> {
  /** Inside a change: values of this commit's changes, otherwise committed values. */
  get(key: StateKey): V | undefined;
  /** Committed values, as of the first step; must not be called inside a change. */
  entries(selection?: Selection): Iterable<TableEntry<V>>;
  /** Only inside a change. Keys stay below 1.9 KB. */
  put(key: StateKey, value: V): void;
  /** Only inside a change. Removing a missing key is allowed. */
  remove(key: StateKey): void;
}

export interface TableEntry<V> {
  /** A string or number when the key has one element, otherwise an array. */
  readonly key: StateKey;
  readonly value: V;
}

/** Selects entries, ascending unless `reverse`. All when empty. */
export interface Selection {
  /**
   * Keys that begin with these elements (whole elements: not the beginning of a string). Excludes `start`,
   * `end`.
   */
  readonly prefix?: StateKey;
  /** The lowest key. */
  readonly start?: StateKey;
  /** The key after the highest. */
  readonly end?: StateKey;
  readonly reverse?: boolean;
  readonly limit?: number;
}

export interface StateStoreOptions {
  /**
   * The file grows in steps, ahead of its content, so that commits are possible although the disk is full. A step is as
   * large as the content, at most this size.
   */
  readonly stepBytes?: number;
  /** Adds a checksum to rows of layout 1. Otherwise a row without one is damage. */
  readonly addsChecksums?: boolean;
  /** Called after each commit; `failure` is why it failed. */
  readonly onCommit?: (failure: StateStoreError | undefined) => void;
}

const DEFAULT_STEP_BYTES = 1024 * 1024;

/**
 * Opens the store in this directory, which is created if needed. Rejects with a `StateStoreError` on a
 * failure.
 */
export async function openStateStore(
  directory: string,
  { stepBytes = DEFAULT_STEP_BYTES, addsChecksums = false, onCommit }: StateStoreOptions = {},
): Promise<StateStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch((error: Error) => {
    throw new StateStoreError(`Cannot create ${directory}: ${error.message}`, { cause: error });
  });
  await assertLmdbFile(directory);
  await makeLockFile(directory);
  const root = openRoot(directory);
  const store = new LmdbStateStore(directory, root, { room: new LmdbRoom(directory, stepBytes), onCommit });
  try {
    await store.prepare({ addsChecksums });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Values are JSON text, encoded when they are put: encoding cannot fail in the middle of a commit. */
type Root = RootDatabase<string, Key>;
type Key = (string | number)[];

/** The changes of one commit, by key; `text` undefined: remove. */
type Changes = Map<string, { readonly key: Key; readonly text: string | undefined }>;

interface StoredRow {
  readonly key: Key;
  readonly value: string;
}

/** Checked in one turn, and rewritten in one transaction. */
const ROWS_AT_ONCE = 1000;

interface WaitingWrite {
  readonly change: () => void;
  readonly resolve: () => void;
  readonly reject: (error: StateStoreError) => void;
}

interface LmdbStoreParts {
  readonly room: LmdbRoom;
  readonly onCommit: StateStoreOptions['onCommit'];
}

class LmdbStateStore implements StateStore {
  readonly #directory: string;
  readonly #room: LmdbRoom;
  readonly #onCommit: NonNullable<StateStoreOptions['onCommit']>;
  /** undefined: closed, or being reopened. */
  #root: Root | undefined;
  #closing = false;
  #waiting: WaitingWrite[] = [];
  #writing: Promise<void> | undefined;
  /** While changes run: the earlier changes of this commit, and those of the running one. */
  #commit: Changes | undefined;
  #current: Changes | undefined;

  constructor(directory: string, root: Root, { room, onCommit = () => {} }: LmdbStoreParts) {
    this.#directory = directory;
    this.#room = room;
    this.#onCommit = onCommit;
    this.#root = root;
  }

  /** Checks each row, and reserves the room for the first commits. */
  async prepare({ addsChecksums }: { readonly addsChecksums: boolean }): Promise<void> {
    // LMDB flushes its file, but not the directory entry.
    await syncDirectory(this.#directory);
    await syncDirectory(dirname(this.#directory));
    await this.#room.provide(usageOf(this.#openRoot()).bytes, 0);
    for (let rows = this.#storedRows(undefined); rows.length > 0; rows = this.#storedRows(rows.at(-1)?.key)) {
      const old = addsChecksums ? rows.filter(({ value }) => hasNoChecksum(value)) : [];
      const checked = addsChecksums ? rows.filter(({ value }) => !hasNoChecksum(value)) : rows;
      for (const { key, value } of checked) this.#checked(idOf(key), value);
      if (old.length > 0) await this.write(() => this.#rewrite(old));
    }
  }

  table<V extends Json>(name: string): Table<V> {
    const keyOf = (key: StateKey): Key => (typeof key === 'object' ? [name, ...key] : [name, key]);
    return {
      get: (key) => this.#get(keyOf(key)) as V | undefined,
      entries: (selection = {}) => this.#entries<V>(name, keyOf, selection),
      put: (key, value) => this.#set(keyOf(key), JSON.stringify(value)),
      remove: (key) => this.#set(keyOf(key), undefined),
    };
  }

  write(change: () => void): Promise<void> {
    if (this.#closing) return Promise.reject(new StateStoreError('The state store is closed'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#writing;
    const root = this.#root;
    this.#root = undefined;
    await root?.close();
  }

  #get(key: Key): Json | undefined {
    const id = idOf(key);
    const changed = this.#current?.get(id) ?? this.#commit?.get(id);
    if (changed !== undefined) return parsed(changed.text);
    const stored = this.#openRoot().get(key);
    return stored === undefined ? undefined : parsed(this.#checked(id, stored));
  }

  /** The text of a stored row. */
  #checked(id: string, stored: string): string {
    const text = checkedText(id, stored);
    if (text !== undefined) return text;
    throw this.#damaged(`row ${id} is not what was written`);
  }

  /** The next rows as they are stored. A damaged key may be one that LMDB cannot decode. */
  #storedRows(after: Key | undefined): StoredRow[] {
    const start = after === undefined ? {} : { start: after, exclusiveStart: true };
    try {
      return [...this.#openRoot().getRange({ ...start, limit: ROWS_AT_ONCE })];
    } catch (error) {
      throw this.#damaged(`its rows cannot be read: ${errorMessage(error)}`);
    }
  }

  /** Only inside a change: rows of layout 1, which are stored as plain text. */
  #rewrite(rows: readonly StoredRow[]): void {
    for (const { key, value } of rows) {
      if (!isJson(value)) throw this.#damaged(`row ${idOf(key)} is not JSON`);
      this.#set(key, value);
    }
  }

  #damaged(what: string): StateStoreError {
    return new StateStoreError(`${join(this.#directory, 'data.mdb')} is damaged: ${what}`);
  }

  *#entries<V extends Json>(
    name: string,
    keyOf: (key: StateKey) => Key,
    { prefix, start, end, reverse = false, limit }: Selection,
  ): Iterable<TableEntry<V>> {
    assert(this.#current === undefined, 'entries() does not see a change in progress');
    const lowest = prefix !== undefined ? keyOf(prefix) : start !== undefined ? keyOf(start) : [name];
    const behind =
      prefix !== undefined
        ? [...keyOf(prefix), BEHIND_ALL]
        : end !== undefined
          ? keyOf(end)
          : [name, BEHIND_ALL];
    const bounds = reverse
      ? { start: behind, end: lowest, exclusiveStart: true, inclusiveEnd: true, reverse }
      : { start: lowest, end: behind };
    for (const { key, value } of this.#openRoot().getRange(
      limit === undefined ? bounds : { ...bounds, limit },
    )) {
      const [, first, ...more] = key;
      // The prefix alone is no key of this table.
      if (first === undefined) continue;
      const text = this.#checked(idOf(key), value);
      yield { key: more.length === 0 ? first : [first, ...more], value: JSON.parse(text) as V };
    }
  }

  #set(key: Key, text: string | undefined): void {
    assert(this.#current !== undefined, 'put() and remove() only inside a change');
    const id = idOf(key);
    assert(id.length < MAX_KEY_CHARACTERS, 'the key is too long');
    this.#current.set(id, { key, text });
  }

  #openRoot(): Root {
    if (this.#root === undefined) throw new StateStoreError(`The state store ${this.#directory} is not open`);
    return this.#root;
  }

  /** Commits until no write waits. Never rejects. */
  async #writeAll(): Promise<void> {
    // Writes of one turn form one commit.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      await this.#writeGroup(group);
    }
    this.#writing = undefined;
  }

  async #writeGroup(group: readonly WaitingWrite[]): Promise<void> {
    if (this.#root === undefined) await this.#reviveRoot();
    const { changes, sound } = this.#runChanges(group);
    try {
      await this.#commitChanges(changes);
      if (changes.size > 0) this.#onCommit(undefined);
      for (const { resolve } of sound) resolve();
    } catch (error) {
      const failure = new StateStoreError(`Cannot write to ${this.#directory}: ${errorMessage(error)}`, {
        cause: error,
      });
      await this.#reviveRoot();
      this.#onCommit(failure);
      for (const { reject } of sound) reject(failure);
    }
  }

  #runChanges(group: readonly WaitingWrite[]): { changes: Changes; sound: WaitingWrite[] } {
    const changes: Changes = new Map();
    const sound: WaitingWrite[] = [];
    this.#commit = changes;
    for (const write of group) {
      const current: Changes = new Map();
      this.#current = current;
      try {
        write.change();
        for (const [id, changed] of current) changes.set(id, changed);
        sound.push(write);
      } catch (error) {
        write.reject(new StateStoreError(`The change failed: ${errorMessage(error)}`, { cause: error }));
      }
    }
    this.#commit = undefined;
    this.#current = undefined;
    return { changes, sound };
  }

  async #commitChanges(changes: Changes): Promise<void> {
    if (changes.size === 0) return;
    const root = this.#openRoot();
    const { bytes, tree } = usageOf(root);
    await this.#room.provide(bytes, growthOf(sizeOf(changes), tree));
    try {
      await root.batch(() => {
        for (const [id, { key, text }] of changes) {
          if (text === undefined) void root.remove(key);
          else void root.put(key, withChecksum(id, text));
        }
      });
    } catch (error) {
      throw await causeOf(error);
    }
  }

  /** After a failed commit: an environment that cannot be read is replaced. */
  async #reviveRoot(): Promise<void> {
    const root = this.#root;
    try {
      root?.get(['']);
    } catch {
      this.#root = undefined;
      await root?.close();
    }
    try {
      this.#root ??= openRoot(this.#directory);
    } catch {
      // The next write fails with `is not open`, and tries again after that.
    }
  }
}

/** LMDB takes keys up to 1,978 bytes; a character is at most three of them. */
const MAX_KEY_CHARACTERS = 600;

/** Sorts after each string and number. LMDB's key types do not know that bytes may be elements. */
const BEHIND_ALL = Buffer.from([0xff]) as unknown as string;

function openRoot(directory: string): Root {
  try {
    return open<string, Key>({
      path: directory,
      noSubdir: false,
      pageSize: LMDB_PAGE_BYTES,
      encoding: 'string',
      compression: false,
      cache: false,
      overlappingSync: false,
      eventTurnBatching: false,
    });
  } catch (error) {
    throw new StateStoreError(`Cannot open the state in ${directory}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** The used part of LMDB's file, and the shape of its tree. */
function usageOf(root: Root): { readonly bytes: number; readonly tree: TreeShape } {
  const { lastPageNumber, treeDepth, treeBranchPageCount, treeLeafPageCount } = root.getStats() as LmdbStats;
  return {
    bytes: (lastPageNumber + 1) * LMDB_PAGE_BYTES,
    tree: { depth: treeDepth, pages: treeBranchPageCount + treeLeafPageCount },
  };
}

/** Its types do not describe the content. */
interface LmdbStats {
  readonly lastPageNumber: number;
  readonly treeDepth: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
}

function sizeOf(changes: Changes): TreeChange {
  let puts = 0;
  let putBytes = 0;
  for (const [id, { text }] of changes) {
    if (text === undefined) continue;
    puts += 1;
    putBytes += id.length + CHECKSUM_CHARACTERS + Buffer.byteLength(text);
  }
  return { puts, removals: changes.size - puts, putBytes };
}

/** `Commit failed (see commitError for details)`: the details are a promise that rejects. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error;
  return Promise.resolve(error.commitError).then(
    () => error,
    (cause: unknown) => cause,
  );
}

function parsed(text: string | undefined): Json | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Json);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function idOf(key: Key): string {
  return JSON.stringify(key);
}
