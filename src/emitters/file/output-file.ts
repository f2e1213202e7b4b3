import { BirthNote } from './birth-note.ts';
import { FileLock } from './file-lock.ts';
import { agrees, type FileMark, isSameFile, markAt } from './file-mark.ts';
import type { OpenFile } from './file-system.ts';
import { cutMoved, cutWhatMoved, type KnownEnd, openOutput, prepareDirectory } from './open-output.ts';
import type { OutputRoom } from './output-room.ts';

/**
 * One output file, open or resting.
 *
 *     |---- flushed ----|---- written ----|- - pending - -|
 *     0               mark              length        references, not copies
 *
 * `undo` goes back to the mark, `keep` moves it to the end. A resting file has nothing pending, but may have been written
 * to since the mark.
 */
export class OutputFile {
  readonly path: string;
  readonly #room: OutputRoom;
  readonly #holder: string;
  #open: { readonly file: OpenFile; readonly lock: FileLock } | undefined;
  /** The end at the last delivered flush; undefined before the first opening. */
  #mark: FileMark | undefined;
  /** The end at the last `seal`. */
  #sealed: FileMark | undefined;
  #length = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #isUnsettled: boolean;
  /** The mark is the committed state's; later it is a flush's. */
  #isMarkCommitted: boolean;

  /** `committed`: where the committed state says it ended. */
  constructor(path: string, committed: FileMark | undefined, room: OutputRoom & { readonly holder: string }) {
    this.path = path;
    this.#room = room;
    this.#holder = room.holder;
    this.#mark = committed;
    this.#length = committed?.length ?? 0;
    this.#isUnsettled = committed !== undefined;
    this.#isMarkCommitted = committed !== undefined;
  }

  get mark(): FileMark | undefined {
    return this.#mark;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Something was written since the mark. */
  get isDirty(): boolean {
    return this.#pendingBytes > 0 || this.#length !== (this.#mark?.length ?? 0);
  }

  /**
   * No committed state knows the file yet, or it has not been found as the committed state left it since the start: it must
   * not leave its path, nor be forgotten.
   */
  get isUnsettled(): boolean {
    return this.#isUnsettled;
  }

  get length(): number {
    return this.#length;
  }

  /** After a start: cuts the file if it is not at its path any more, and says what is there. */
  async look(): Promise<'as it was left' | 'something else' | 'nothing'> {
    const stat = await this.#room.disk.stat(this.path);
    const marks = await cutWhatMoved(this.path, { stat, known: this.#known }, this.#room);
    if (stat === undefined) return 'nothing';
    const isAsLeft =
      this.#mark !== undefined && isSameFile(this.#mark, stat) && stat.sizeBytes === this.#length;
    if (!isAsLeft) return 'something else';
    this.#isUnsettled = marks.some(({ isBorn }) => isBorn);
    return 'as it was left';
  }

  async open(): Promise<void> {
    if (this.#open !== undefined) return;
    await prepareDirectory(this.path, this.#room);
    const lock = await FileLock.acquire(this.path, this.#holder);
    try {
      this.#open = { file: this.isDirty ? await this.#resume() : await this.#begin(), lock };
    } catch (error) {
      lock.release();
      throw error;
    }
    this.#room.events.opened();
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
      if (written === 0) throw new Error(`${this.path} takes no bytes`);
      this.#length += written;
      this.#pendingBytes -= written;
      this.#pending = without(this.#pending, written);
    }
  }

  /** Writes what is pending and makes it durable; where the file ends then. */
  async seal(): Promise<FileMark> {
    if (this.#open === undefined && this.#sealed !== undefined) return this.#sealed;
    const file = this.#file;
    await this.write();
    if (this.#room.fsync) await file.sync();
    const stat = await file.stat();
    if (stat.links === 0) throw new DeletedError(this.path);
    if (stat.sizeBytes !== this.#length) {
      this.#room.events.changedByOthers(this.path, this.#length, stat.sizeBytes);
      this.#length = stat.sizeBytes;
    }
    this.#sealed = await markAt(file, stat, this.#length);
    return this.#sealed;
  }

  /** The flush is delivered: what was sealed is the mark. */
  keep(): void {
    if (this.#sealed !== undefined) this.#mark = this.#sealed;
  }

  /** Takes back everything since the mark. */
  async undo(): Promise<void> {
    this.#pending = [];
    this.#pendingBytes = 0;
    const mark = this.#mark;
    if (mark === undefined) return;
    if (this.#open === undefined) await cutMoved(this.path, mark, this.#room);
    else this.#mark = await this.#cutTo(mark, this.#open.file);
    this.#length = this.#mark?.length ?? 0;
  }

  /** Closes the file for now. What it holds since the mark stays there, sealed, not kept. */
  async rest(): Promise<void> {
    if (this.isDirty) await this.seal();
    await this.close();
  }

  /** Closes the file; what is pending is gone. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#pending = [];
    this.#pendingBytes = 0;
    if (open === undefined) return;
    this.#room.events.closed();
    try {
      await open.file.close();
    } finally {
      open.lock.release();
    }
  }

  /** A committed state knows the file. */
  async removeBirthNote(): Promise<void> {
    await new BirthNote(this.path, this.#room).remove();
    this.#isUnsettled = false;
  }

  get #known(): KnownEnd | undefined {
    return this.#mark && { mark: this.#mark, isCommitted: this.#isMarkCommitted };
  }

  get #file(): OpenFile {
    if (this.#open === undefined) throw new Error(`${this.path} is not open`);
    return this.#open.file;
  }

  async #begin(): Promise<OpenFile> {
    const { file, mark, isBorn } = await openOutput(this.path, this.#known, this.#room);
    this.#mark = mark;
    this.#isMarkCommitted = false;
    this.#sealed = undefined;
    this.#length = mark.length;
    this.#isUnsettled = isBorn;
    return file;
  }

  /** Opens a file that rested with bytes since the mark: it has to be as it was left. */
  async #resume(): Promise<OpenFile> {
    const file = await this.#room.disk.open(this.path, {});
    try {
      const stat = await file.stat();
      const isAsLeft = this.#sealed?.length === stat.sizeBytes && (await agrees(this.#sealed, file, stat));
      if (!isAsLeft) throw new Error(`${this.path} was changed by somebody else`);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Where the file ends then: at the mark, or, when others changed it, where it ends now. */
  async #cutTo(mark: FileMark, file: OpenFile): Promise<FileMark> {
    const stat = await file.stat();
    if (!(await agrees(mark, file, stat))) {
      this.#room.events.changedByOthers(this.path, this.#length, stat.sizeBytes);
      return markAt(file, stat, stat.sizeBytes);
    }
    if (stat.sizeBytes > mark.length) await file.truncate(mark.length);
    // Bytes that came back after a power loss would be there twice.
    if (this.#room.fsync) await file.sync();
    return mark;
  }
}

/** The file has no name any more: what is written to it is gone with its closing. */
export class DeletedError extends Error {
  override readonly name = 'DeletedError';
  readonly path: string;

  constructor(path: string) {
    super(`${path} was deleted while it was written`);
    this.path = path;
  }
}

/** `parts` without their first `bytes`. */
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
