import { dirname } from 'node:path';
import { isSameFile } from './file-mark.ts';
import type { FileState } from './file-state.ts';
import { DeletedError, OutputFile } from './output-file.ts';
import type { OutputRoom } from './output-room.ts';
import { nextRotatedPath } from './rotated-path.ts';

export interface OutputOptions extends OutputRoom {
  readonly rotateBytes: number | undefined;
  readonly maxOpenFiles: number;
  /** Who holds the locks, for a person. */
  readonly holder: string;
}

/** As many files an emitter remembers, and commits; beyond it those that rested longest are forgotten. */
const MAX_KNOWN_FILES = 1000;

/** The output files of an emitter: found by path, the least recently used closed first, flushed and undone together. */
export class OutputFiles {
  readonly #options: OutputOptions;
  /** By path; the least recently used first. */
  readonly #known = new Map<string, OutputFile>();
  readonly #open = new Map<string, OutputFile>();
  /** Written to since the last delivered flush. */
  readonly #touched = new Set<OutputFile>();
  /** Could not be undone yet. */
  readonly #spoiled = new Set<OutputFile>();
  /** Flushed for the first time; their birth notes go when that is committed. */
  readonly #newborn = new Set<OutputFile>();
  #pendingBytes = 0;
  #isReopenDue = false;

  constructor(options: OutputOptions, committed: FileState) {
    this.#options = options;
    for (const [path, mark] of committed) this.#known.set(path, new OutputFile(path, mark, options));
  }

  /** Gathered, not yet written. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Cuts what is not as the committed state left it: now, and not only when it is written again. A file that was moved
   * away is cut there, and forgotten.
   */
  async recover(): Promise<void> {
    for (const [path, output] of [...this.#known]) {
      try {
        const found = await output.look();
        if (found === 'nothing') this.#known.delete(path);
        else if (found === 'something else') await this.#get(path);
      } catch (error) {
        this.#options.events.openingFailed(path, error);
      }
    }
  }

  /** Opens the file at a path, or says why not yet. */
  async prepare(path: string): Promise<void> {
    try {
      await this.#get(path);
    } catch (error) {
      this.#options.events.openingFailed(path, error);
    }
  }

  async append(path: string, parts: readonly Uint8Array[]): Promise<void> {
    const output = await this.#rotatedIfDue(await this.#get(path));
    this.#touched.add(output);
    this.#pendingBytes += output.append(parts);
  }

  async write(): Promise<void> {
    for (const output of this.#touched) if (output.isOpen) await output.write();
    this.#pendingBytes = 0;
  }

  /** Everything is durable: the state to commit. Nothing is, when it throws; then `undo`. */
  async flush(): Promise<FileState> {
    // All of them are waited for, so that nothing is being written any more when one has failed.
    const seals = await Promise.allSettled([...this.#touched].map((output) => output.seal()));
    for (const seal of seals) if (seal.status === 'rejected') throw seal.reason;
    for (const output of this.#touched) {
      output.keep();
      if (output.isUnsettled) this.#newborn.add(output);
    }
    this.#touched.clear();
    this.#pendingBytes = 0;
    this.#forgetOldest();
    if (this.#isReopenDue) await this.reopen();
    return this.#marks();
  }

  /** What the last flush returned is committed. */
  async committed(): Promise<void> {
    for (const output of this.#newborn) {
      try {
        await output.removeBirthNote();
        this.#newborn.delete(output);
      } catch (error) {
        this.#options.events.noteRemains(output.path, error);
      }
    }
    if (this.#isReopenDue) await this.reopen();
  }

  /** Takes back everything since the last delivered flush. What cannot be now is tried again by `repair`. */
  async undo(): Promise<void> {
    for (const output of this.#touched) this.#spoiled.add(output);
    this.#touched.clear();
    this.#pendingBytes = 0;
    await this.repair().catch(() => {});
  }

  /** Throws while something that was to be undone is not. */
  async repair(): Promise<void> {
    const failures: unknown[] = [];
    for (const output of this.#spoiled) {
      try {
        await output.undo();
        this.#spoiled.delete(output);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** A file that was deleted under us: its path is free for another. */
  async dropDeleted(error: unknown): Promise<void> {
    if (!(error instanceof DeletedError)) return;
    for (const output of [...this.#touched]) {
      if (output.path !== error.path) continue;
      this.#options.events.deleted(output.path);
      this.#touched.delete(output);
      this.#giveUpPath(output);
      await output.close();
    }
  }

  /**
   * Finishes with files that were moved away, and opens new ones in their place. A file with bytes that may have to be
   * undone, or that no committed state knows, has its turn after the next flush or commit.
   */
  async reopen(): Promise<void> {
    this.#isReopenDue = false;
    for (const output of [...this.#known.values()]) {
      try {
        await this.#reopenIfMoved(output);
      } catch (error) {
        this.#options.events.openingFailed(output.path, error);
      }
    }
  }

  async close(): Promise<void> {
    const outputs = new Set([...this.#open.values(), ...this.#touched, ...this.#spoiled]);
    this.#open.clear();
    this.#touched.clear();
    this.#spoiled.clear();
    this.#known.clear();
    // Each gives up its lock, even when its file does not close as it should.
    await Promise.allSettled([...outputs].map((output) => output.close()));
  }

  async #get(path: string): Promise<OutputFile> {
    const open = this.#open.get(path);
    if (open !== undefined) {
      this.#use(open);
      return open;
    }
    await this.#makeRoom();
    const output = this.#known.get(path) ?? new OutputFile(path, undefined, this.#options);
    await output.open();
    this.#use(output);
    return output;
  }

  /** Moves it to the end of the line. */
  #use(output: OutputFile): void {
    const { path } = output;
    if (this.#open.size === 1 && this.#open.has(path)) return;
    this.#open.delete(path);
    this.#open.set(path, output);
    this.#known.delete(path);
    this.#known.set(path, output);
  }

  async #makeRoom(): Promise<void> {
    for (const [path, output] of this.#open) {
      if (this.#open.size < this.#options.maxOpenFiles) return;
      await output.rest();
      this.#open.delete(path);
    }
  }

  #forgetOldest(): void {
    for (const [path, output] of this.#known) {
      if (this.#known.size <= MAX_KNOWN_FILES) return;
      if (output.isOpen || output.isUnsettled) continue;
      this.#known.delete(path);
    }
  }

  /**
   * Rotates before the first write after a flush, and only a file that a committed state knows: so nothing that may have
   * to be undone or cut ever lies in two files of one path.
   */
  async #rotatedIfDue(output: OutputFile): Promise<OutputFile> {
    const { rotateBytes, disk, fsync, events } = this.#options;
    if (rotateBytes === undefined || output.length < rotateBytes) return output;
    if (output.isDirty || output.isUnsettled || output.mark === undefined) return output;
    const { path, length, mark } = output;
    const isAtPath = isSameFile(mark, await disk.stat(path));
    const target = await nextRotatedPath(path, disk);
    if (isAtPath) await disk.rename(path, target);
    this.#giveUpPath(output);
    await output.close();
    if (fsync) await disk.syncDirectory(dirname(path));
    if (isAtPath) events.rotated(path, target, length);
    else events.reopened(path);
    return this.#get(path);
  }

  async #reopenIfMoved(output: OutputFile): Promise<void> {
    const { path, mark } = output;
    if (mark === undefined || isSameFile(mark, await this.#options.disk.stat(path))) return;
    if (output.isDirty || output.isUnsettled) {
      this.#isReopenDue = true;
      return;
    }
    const { isOpen } = output;
    this.#giveUpPath(output);
    await output.close();
    this.#options.events.reopened(path);
    // One that rests has its new file when there is something to write.
    if (isOpen) await this.#get(path);
  }

  #marks(): FileState {
    return new Map(
      [...this.#known.values()].flatMap(({ path, mark }) => (mark ? [[path, mark] as const] : [])),
    );
  }

  #giveUpPath(output: OutputFile): void {
    this.#known.delete(output.path);
    this.#open.delete(output.path);
    this.#newborn.delete(output);
  }
}
