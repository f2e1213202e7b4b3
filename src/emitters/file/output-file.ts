import { FileLock } from './file-lock.ts';
import { type FileMark, isSameFile, markAt, matches } from './file-mark.ts';
import type { OpenFile } from './file-system.ts';
import {
  type KnownEnd,
  openOutput,
  prepareDirectory,
  truncateMovedFile,
  truncateMovedFiles,
} from './open-output.ts';
import type { OutputContext } from './output-context.ts';
import { UncommittedMarker } from './uncommitted-marker.ts';

/**
 * One output file, open or temporarily closed.
 *
 *     |---- flushed ----|---- written ----|- - pending - -|
 *     0               mark              length        references, not copies
 *
 * `rollBack` truncates to the mark, `keep` moves the mark to the end. A closed file has nothing pending, but
 * it can have written bytes after the mark.
 */
export class OutputFile {
  readonly path: string;
  readonly #context: OutputContext;
  readonly #holder: string;
  #open: { readonly file: OpenFile; readonly lock: FileLock } | undefined;
  /** The end at the last delivered flush; undefined before the file is first opened. */
  #mark: FileMark | undefined;
  /** The end at the last `seal`. */
  #sealed: FileMark | undefined;
  #length = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #isUnconfirmed: boolean;
  /** The mark is from the committed state, not from a later flush. */
  #isMarkCommitted: boolean;

  /** `committed`: its end according to the committed state. */
  constructor(
    path: string,
    committed: FileMark | undefined,
    context: OutputContext & { readonly holder: string },
  ) {
    this.path = path;
    this.#context = context;
    this.#holder = context.holder;
    this.#mark = committed;
    this.#length = committed?.length ?? 0;
    this.#isUnconfirmed = committed !== undefined;
    this.#isMarkCommitted = committed !== undefined;
  }

  get mark(): FileMark | undefined {
    return this.#mark;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Records were written since the mark. */
  get isDirty(): boolean {
    return this.#pendingBytes > 0 || this.#length !== (this.#mark?.length ?? 0);
  }

  /**
   * The file has no committed state yet, or has not been compared with its committed state since the start:
   * it must not be moved from its path or forgotten.
   */
  get isUnconfirmed(): boolean {
    return this.#isUnconfirmed;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Called after a start: truncates the file if it was moved from its path, and returns what is at the path
   * now.
   */
  async inspect(): Promise<'as it was left' | 'something else' | 'nothing'> {
    const stat = await this.#context.disk.stat(this.path);
    const marks = await truncateMovedFiles(this.path, { stat, known: this.#known }, this.#context);
    if (stat === undefined) return 'nothing';
    const isAsLeft =
      this.#mark !== undefined && isSameFile(this.#mark, stat) && stat.sizeBytes === this.#length;
    if (!isAsLeft) return 'something else';
    this.#isUnconfirmed = marks.some(({ isUncommitted }) => isUncommitted);
    return 'as it was left';
  }

  async open(): Promise<void> {
    if (this.#open !== undefined) return;
    await prepareDirectory(this.path, this.#context);
    const lock = await FileLock.acquire(this.path, this.#holder);
    try {
      this.#open = { file: this.isDirty ? await this.#resume() : await this.#begin(), lock };
    } catch (error) {
      lock.release();
      throw error;
    }
    this.#context.events.opened();
  }

  append(parts: readonly Uint8Array[]): number {
    let bytes = 0;
    for (const part of parts) {
      this.#pending.push(part);
      bytes += part.length;
    }
    this.#pendingBytes += bytes;
    return bytes;
  }

  async write(): Promise<void> {
    while (this.#pending.length > 0) {
      const written = await this.#file.write(this.#pending);
      if (written === 0) throw new Error(`cannot write to ${this.path}: 0 bytes written`);
      this.#length += written;
      this.#pendingBytes -= written;
      this.#pending = without(this.#pending, written);
    }
  }

  /** Writes pending bytes, makes them durable and returns the new end. */
  async seal(): Promise<FileMark> {
    if (this.#open === undefined && this.#sealed !== undefined) return this.#sealed;
    const file = this.#file;
    await this.write();
    if (this.#context.fsync) await file.sync();
    const stat = await file.stat();
    if (stat.links === 0) throw new DeletedError(this.path);
    if (stat.sizeBytes !== this.#length) {
      this.#context.events.changedByOthers(this.path, this.#length, stat.sizeBytes);
      this.#length = stat.sizeBytes;
    }
    this.#sealed = await markAt(file, stat, this.#length);
    return this.#sealed;
  }

  /** Called when the flush is delivered: the sealed end becomes the mark. */
  keep(): void {
    if (this.#sealed !== undefined) this.#mark = this.#sealed;
  }

  /** Removes everything after the mark. */
  async rollBack(): Promise<void> {
    this.#pending = [];
    this.#pendingBytes = 0;
    const mark = this.#mark;
    if (mark === undefined) return;
    if (this.#open === undefined) await truncateMovedFile(this.path, mark, this.#context);
    else this.#mark = await this.#truncateTo(mark, this.#open.file);
    this.#length = this.#mark?.length ?? 0;
  }

  /** Closes the file temporarily. Bytes after the mark stay in it, sealed but not kept. */
  async closeTemporarily(): Promise<void> {
    if (this.isDirty) await this.seal();
    await this.close();
  }

  /** Closes the file and drops pending bytes. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#pending = [];
    this.#pendingBytes = 0;
    if (open === undefined) return;
    this.#context.events.closed();
    try {
      await open.file.close();
    } finally {
      open.lock.release();
    }
  }

  /** Called when the file has a committed state. */
  async removeMarker(): Promise<void> {
    await new UncommittedMarker(this.path, this.#context).remove();
    this.#isUnconfirmed = false;
  }

  get #known(): KnownEnd | undefined {
    return this.#mark && { mark: this.#mark, isCommitted: this.#isMarkCommitted };
  }

  get #file(): OpenFile {
    if (this.#open === undefined) throw new Error(`${this.path} is not open`);
    return this.#open.file;
  }

  async #begin(): Promise<OpenFile> {
    const { file, mark, isUncommitted } = await openOutput(this.path, this.#known, this.#context);
    this.#mark = mark;
    this.#isMarkCommitted = false;
    this.#sealed = undefined;
    this.#length = mark.length;
    this.#isUnconfirmed = isUncommitted;
    return file;
  }

  /** Opens a temporarily closed file with bytes after the mark: it must be unchanged. */
  async #resume(): Promise<OpenFile> {
    const file = await this.#context.disk.open(this.path, {});
    try {
      const stat = await file.stat();
      const isAsLeft = this.#sealed?.length === stat.sizeBytes && (await matches(this.#sealed, file, stat));
      if (!isAsLeft) throw new Error(`${this.path} was changed by another program`);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Returns the new end of the file: the mark, or its current end if another program changed it. */
  async #truncateTo(mark: FileMark, file: OpenFile): Promise<FileMark> {
    const stat = await file.stat();
    if (!(await matches(mark, file, stat))) {
      this.#context.events.changedByOthers(this.path, this.#length, stat.sizeBytes);
      return markAt(file, stat, stat.sizeBytes);
    }
    if (stat.sizeBytes > mark.length) await file.truncate(mark.length);
    // Otherwise the truncated bytes could reappear after a power loss and be duplicates.
    if (this.#context.fsync) await file.sync();
    return mark;
  }
}

/** The file has no name any more: its bytes are lost when it is closed. */
export class DeletedError extends Error {
  override readonly name = 'DeletedError';
  readonly path: string;

  constructor(path: string) {
    super(`${path} was deleted while open`);
    this.path = path;
  }
}

/** Returns `parts` without their first `bytes`. */
function without(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  let index = 0;
  for (const part of parts) {
    if (part.length > left) break;
    left -= part.length;
    index++;
  }
  const rest = parts.slice(index);
  const [first] = rest;
  if (first !== undefined && left > 0) rest[0] = first.subarray(left);
  return rest;
}
