import { dirname } from 'node:path';
import { errorMessage } from '../../runtime/error-message.ts';
import { isSameFile } from './file-end.ts';
import type { FileState } from './file-state.ts';
import type { OutputContext } from './output-context.ts';
import { DeletedError, OutputFile } from './output-file.ts';
import { nextRotatedPath } from './rotated-path.ts';

export interface OutputOptions extends OutputContext {
  readonly rotateBytes: number | undefined;
  readonly maxOpenFiles: number;
  /** Identifies the lock holder to operators. */
  readonly holder: string;
}

/**
 * Maximum number of files that an emitter remembers and commits; above it, the longest closed ones are
 * forgotten.
 */
const MAX_KNOWN_FILES = 1000;

/**
 * The output files of an emitter, by path. They are flushed and rolled back together; the least recently used
 * are closed first.
 *
 * A file that was written to since the last flush is *touched*. Each file is in at most one of these sets:
 *
 *     call          (none)     touched         failedRollbacks
 *     ------------------------------------------------------------------
 *     append        touched                    never: `repair` throws before
 *     flush                    (none)          never: `repair` throws before
 *     rollBack                 (none), or failedRollbacks if it fails
 *     repair                                   (none) if it succeeds
 *
 * Independently, a flushed file with an uncommitted marker is in `uncommitted` until `committed` removes the
 * marker. All these sets change only here; an `OutputFile` changes its own bytes and evidence.
 */
export class OutputFiles {
  readonly #options: OutputOptions;
  /** By path, the least recently used first. */
  readonly #known = new Map<string, OutputFile>();
  readonly #open = new Map<string, OutputFile>();
  /** Written to since the last delivered flush. */
  readonly #touched = new Set<OutputFile>();
  /** Files whose rollback failed and is to be repeated. */
  readonly #failedRollbacks = new Set<OutputFile>();
  /** Files flushed for the first time; their uncommitted markers are removed after the commit. */
  readonly #uncommitted = new Set<OutputFile>();
  #pendingBytes = 0;
  #isReopenDue = false;

  constructor(options: OutputOptions, committed: FileState) {
    this.#options = options;
    for (const [path, end] of committed) this.#known.set(path, new OutputFile(path, end, options));
  }

  /** Buffered, not yet written. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Truncates files to their committed length at the start instead of at their next write. A file that was
   * moved is truncated under its new name and forgotten.
   */
  async recover(): Promise<void> {
    for (const [path, output] of [...this.#known]) {
      try {
        const found = await output.inspect();
        if (found === 'nothing') this.#known.delete(path);
        else if (found === 'changed') await this.#get(path);
      } catch (error) {
        this.#options.events.openingFailed({ path, error: errorMessage(error) });
      }
    }
  }

  /** Opens the file at a path, or logs why it cannot be opened yet. */
  async prepare(path: string): Promise<void> {
    try {
      await this.#get(path);
    } catch (error) {
      this.#options.events.openingFailed({ path, error: errorMessage(error) });
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

  /** Makes everything durable and returns the state to commit. If it throws, the caller calls `rollBack`. */
  async flush(): Promise<FileState> {
    // Waits for all, so that no write is in progress after a failure.
    const seals = await Promise.allSettled([...this.#touched].map((output) => output.seal()));
    for (const seal of seals) if (seal.status === 'rejected') throw seal.reason;
    for (const output of this.#touched) {
      output.confirmFlush();
      if (output.isUnconfirmed) this.#uncommitted.add(output);
    }
    this.#touched.clear();
    this.#pendingBytes = 0;
    this.#forgetOldest();
    if (this.#isReopenDue) await this.reopen();
    return this.#flushedEnds();
  }

  /** Called when the state of the last flush is committed. */
  async committed(): Promise<void> {
    for (const output of this.#uncommitted) {
      try {
        await output.removeMarker();
        this.#uncommitted.delete(output);
      } catch (error) {
        this.#options.events.markerRemovalFailed({ path: output.path, error: errorMessage(error) });
      }
    }
    if (this.#isReopenDue) await this.reopen();
  }

  /** Rolls back everything since the last delivered flush. `repair` repeats failed rollbacks. */
  async rollBack(): Promise<void> {
    for (const output of this.#touched) this.#failedRollbacks.add(output);
    this.#touched.clear();
    this.#pendingBytes = 0;
    await this.repair().catch(() => {});
  }

  /** Throws while a rollback is incomplete. */
  async repair(): Promise<void> {
    const failures: unknown[] = [];
    for (const output of this.#failedRollbacks) {
      try {
        await output.rollBack();
        this.#failedRollbacks.delete(output);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Drops a file that was deleted while it was open: its path is free for a new one. */
  async dropDeleted(error: unknown): Promise<void> {
    if (!(error instanceof DeletedError)) return;
    for (const output of [...this.#touched]) {
      if (output.path !== error.path) continue;
      this.#options.events.deleted({ path: output.path });
      this.#touched.delete(output);
      this.#releasePath(output);
      await output.close();
    }
  }

  /**
   * Closes files that were moved, and opens new ones at their paths. A file with unflushed bytes, or without
   * a committed state, is reopened after the next flush or commit.
   */
  async reopen(): Promise<void> {
    this.#isReopenDue = false;
    for (const output of [...this.#known.values()]) {
      try {
        await this.#reopenIfMoved(output);
      } catch (error) {
        this.#options.events.openingFailed({ path: output.path, error: errorMessage(error) });
      }
    }
  }

  async close(): Promise<void> {
    const outputs = new Set([...this.#open.values(), ...this.#touched, ...this.#failedRollbacks]);
    this.#open.clear();
    this.#touched.clear();
    this.#failedRollbacks.clear();
    this.#known.clear();
    // Each releases its lock, even if closing its file fails.
    await Promise.allSettled([...outputs].map((output) => output.close()));
  }

  async #get(path: string): Promise<OutputFile> {
    const open = this.#open.get(path);
    if (open !== undefined) {
      this.#use(open);
      return open;
    }
    await this.#closeLeastRecent();
    const output = this.#known.get(path) ?? new OutputFile(path, undefined, this.#options);
    await output.open();
    this.#use(output);
    return output;
  }

  /** Marks the file as most recently used. */
  #use(output: OutputFile): void {
    const { path } = output;
    if (this.#open.size === 1 && this.#open.has(path)) return;
    this.#open.delete(path);
    this.#open.set(path, output);
    this.#known.delete(path);
    this.#known.set(path, output);
  }

  async #closeLeastRecent(): Promise<void> {
    for (const [path, output] of this.#open) {
      if (this.#open.size < this.#options.maxOpenFiles) return;
      await output.closeTemporarily();
      this.#open.delete(path);
    }
  }

  #forgetOldest(): void {
    for (const [path, output] of this.#known) {
      if (this.#known.size <= MAX_KNOWN_FILES) return;
      if (output.isOpen || output.isUnconfirmed) continue;
      this.#known.delete(path);
    }
  }

  /**
   * Rotates before the first write after a flush, and only a file with a committed state: so bytes that may
   * have to be truncated are never in two files of one path.
   */
  async #rotatedIfDue(output: OutputFile): Promise<OutputFile> {
    const { rotateBytes, disk, fsync, events } = this.#options;
    if (rotateBytes === undefined || output.length < rotateBytes) return output;
    if (output.isDirty || output.isUnconfirmed || output.flushedEnd === undefined) return output;
    const { path, length, flushedEnd } = output;
    const isAtPath = isSameFile(flushedEnd, await disk.stat(path));
    const target = await nextRotatedPath(path, disk);
    if (isAtPath) await disk.rename(path, target);
    this.#releasePath(output);
    await output.close();
    if (fsync) await disk.syncDirectory(dirname(path));
    if (isAtPath) events.rotated({ path, to: target, bytes: length });
    else events.reopened({ path });
    return this.#get(path);
  }

  async #reopenIfMoved(output: OutputFile): Promise<void> {
    const { path, flushedEnd } = output;
    if (flushedEnd === undefined || isSameFile(flushedEnd, await this.#options.disk.stat(path))) return;
    if (output.isDirty || output.isUnconfirmed) {
      this.#isReopenDue = true;
      return;
    }
    const { isOpen } = output;
    this.#releasePath(output);
    await output.close();
    this.#options.events.reopened({ path });
    // The new file of a closed one is created at the next write.
    if (isOpen) await this.#get(path);
  }

  #flushedEnds(): FileState {
    return new Map(
      [...this.#known.values()].flatMap(({ path, flushedEnd }) =>
        flushedEnd ? [[path, flushedEnd] as const] : [],
      ),
    );
  }

  #releasePath(output: OutputFile): void {
    this.#known.delete(output.path);
    this.#open.delete(output.path);
    this.#uncommitted.delete(output);
  }
}
