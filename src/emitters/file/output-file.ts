import { endAt, type FileEnd, isSameFile, matches } from './file-end.ts';
import { FileLock } from './file-lock.ts';
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
 * BYTES. Each of the three parts may be empty:
 *
 *     |---- flushed ----|---- written ----|- - pending - -|
 *     0            flushedEnd       writtenLength     references, not copies
 *
 *     call                pending             written             flushed
 *     --------------------------------------------------------------------------
 *     append              grows
 *     write               becomes written     grows
 *     seal                becomes written     grows, is durable
 *     confirmFlush                            becomes flushed     grows
 *     rollBack            is dropped          is truncated
 *     closeTemporarily    becomes written     grows, is durable
 *     close               is dropped          stays in the file
 *
 * `sealedEnd` is the end at the last `seal`; `confirmFlush` follows when all files of the flush are sealed.
 *
 * EVIDENCE. `evidence` is the relation of `flushedEnd` to the committed state:
 *
 *     state          flushedEnd is                    marker on disk    may be moved, rotated, forgotten
 *     ------------------------------------------------------------------------------------------------
 *     new            unknown                          none              -
 *     unchecked      from the committed state         unknown           no
 *     intact         from the committed state         none              yes
 *     uncommitted    from the last flush              yes               no
 *     committed      from the last flush              none              yes
 *
 *     from           to                          by
 *     ------------------------------------------------------------------------------------------------
 *     (start)        unchecked, new              constructor: with or without a committed end
 *     unchecked      intact, unchecked           inspect: the file is unchanged; is there another marker?
 *     any            uncommitted, committed      open: unless it resumes; is there a marker?
 *     any            committed                   removeMarker: after the commit of the first flush
 */
export class OutputFile {
  readonly path: string;
  readonly #context: OutputContext;
  readonly #holder: string;
  #open: { readonly file: OpenFile; readonly lock: FileLock } | undefined;
  #flushedEnd: FileEnd | undefined;
  #sealedEnd: FileEnd | undefined;
  #writtenLength = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #evidence: Evidence;

  /** `committed`: its end according to the committed state. */
  constructor(
    path: string,
    committed: FileEnd | undefined,
    context: OutputContext & { readonly holder: string },
  ) {
    this.path = path;
    this.#context = context;
    this.#holder = context.holder;
    this.#flushedEnd = committed;
    this.#writtenLength = committed?.length ?? 0;
    this.#evidence = committed === undefined ? 'new' : 'unchecked';
  }

  /** The end at the last delivered flush; undefined before the file is first opened. */
  get flushedEnd(): FileEnd | undefined {
    return this.#flushedEnd;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** It has pending or written bytes. */
  get isDirty(): boolean {
    return this.#pendingBytes > 0 || this.#writtenLength !== (this.#flushedEnd?.length ?? 0);
  }

  /**
   * The file has no committed state yet, or has not been compared with its committed state since the start:
   * it must not be moved from its path or forgotten.
   */
  get isUnconfirmed(): boolean {
    return this.#evidence === 'unchecked' || this.#evidence === 'uncommitted';
  }

  /** Without pending bytes. */
  get length(): number {
    return this.#writtenLength;
  }

  /**
   * Called after a start: truncates the file if it was moved from its path, and returns what is at the path
   * now.
   */
  async inspect(): Promise<'unchanged' | 'changed' | 'nothing'> {
    const stat = await this.#context.disk.stat(this.path);
    const candidates = await truncateMovedFiles(this.path, { stat, known: this.#known }, this.#context);
    if (stat === undefined) return 'nothing';
    const isSame = this.#flushedEnd !== undefined && isSameFile(this.#flushedEnd, stat);
    if (!isSame || stat.sizeBytes !== this.#writtenLength) return 'changed';
    if (!candidates.some(({ isUncommitted }) => isUncommitted)) this.#evidence = 'intact';
    return 'unchanged';
  }

  async open(): Promise<void> {
    if (this.#open !== undefined) return;
    await prepareDirectory(this.path, this.#context);
    const lock = await FileLock.acquire(this.path, this.#holder);
    if (lock.isUnprotected) this.#context.events.unprotected({ path: this.path });
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
      this.#writtenLength += written;
      this.#pendingBytes -= written;
      this.#pending = without(this.#pending, written);
    }
  }

  /** Writes pending bytes, makes them durable and returns the new end. */
  async seal(): Promise<FileEnd> {
    if (this.#open === undefined && this.#sealedEnd !== undefined) return this.#sealedEnd;
    const file = this.#file;
    await this.write();
    if (this.#context.fsync) await file.sync();
    const stat = await file.stat();
    if (stat.links === 0) throw new DeletedError(this.path);
    if (stat.sizeBytes !== this.#writtenLength) {
      this.#reportChange(stat.sizeBytes);
      this.#writtenLength = stat.sizeBytes;
    }
    this.#sealedEnd = await endAt(file, stat, this.#writtenLength);
    return this.#sealedEnd;
  }

  /** Called when all files of the flush are sealed. */
  confirmFlush(): void {
    if (this.#sealedEnd !== undefined) this.#flushedEnd = this.#sealedEnd;
  }

  /** Removes everything after the flushed end. */
  async rollBack(): Promise<void> {
    this.#pending = [];
    this.#pendingBytes = 0;
    const end = this.#flushedEnd;
    if (end === undefined) return;
    if (this.#open === undefined) await truncateMovedFile(this.path, end, this.#context);
    else this.#flushedEnd = await this.#truncateTo(end, this.#open.file);
    this.#writtenLength = this.#flushedEnd?.length ?? 0;
  }

  /** Closes the file temporarily. Written bytes stay in it; they are sealed, but not flushed. */
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
    this.#evidence = 'committed';
  }

  get #known(): KnownEnd | undefined {
    const isCommitted = this.#evidence === 'unchecked' || this.#evidence === 'intact';
    return this.#flushedEnd && { end: this.#flushedEnd, isCommitted };
  }

  get #file(): OpenFile {
    if (this.#open === undefined) throw new Error(`${this.path} is not open`);
    return this.#open.file;
  }

  async #begin(): Promise<OpenFile> {
    const { file, end, isUncommitted } = await openOutput(this.path, this.#known, this.#context);
    this.#flushedEnd = end;
    this.#sealedEnd = undefined;
    this.#writtenLength = end.length;
    this.#evidence = isUncommitted ? 'uncommitted' : 'committed';
    return file;
  }

  /** Opens a temporarily closed file with written bytes: it must be unchanged. */
  async #resume(): Promise<OpenFile> {
    const file = await this.#context.disk.open(this.path, {});
    try {
      const stat = await file.stat();
      const end = this.#sealedEnd;
      const isUnchanged = end?.length === stat.sizeBytes && (await matches(end, file, stat));
      if (!isUnchanged) throw new Error(`${this.path} was changed by another program`);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #reportChange(foundBytes: number): void {
    this.#context.events.changedByOthers({ path: this.path, expectedBytes: this.#writtenLength, foundBytes });
  }

  /** Returns the new end of the file: `end`, or its current end if another program changed it. */
  async #truncateTo(end: FileEnd, file: OpenFile): Promise<FileEnd> {
    const stat = await file.stat();
    if (!(await matches(end, file, stat))) {
      this.#reportChange(stat.sizeBytes);
      return endAt(file, stat, stat.sizeBytes);
    }
    if (stat.sizeBytes > end.length) await file.truncate(end.length);
    // Otherwise the truncated bytes could reappear after a power loss and be duplicates.
    if (this.#context.fsync) await file.sync();
    return end;
  }
}

/** See `OutputFile`. */
type Evidence = 'new' | 'unchecked' | 'intact' | 'uncommitted' | 'committed';

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
