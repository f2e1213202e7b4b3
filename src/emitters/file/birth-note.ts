import { basename, dirname, join } from 'node:path';
import { type FileMark, fileMarkSchema } from './file-mark.ts';
import type { OutputRoom } from './output-room.ts';

/**
 * A small file beside an output file that no committed state knows yet: it says where our bytes begin there. After a
 * crash before the first commit they are cut by it, since they will be emitted again. It is written before the first of
 * them, and removed once a committed state knows the file.
 */
export class BirthNote {
  readonly #room: OutputRoom;
  readonly #path: string;

  constructor(outputPath: string, room: OutputRoom) {
    this.#room = room;
    this.#path = join(dirname(outputPath), `.${basename(outputPath)}.uncommitted`);
  }

  /** undefined: there is none, or it was not finished, so that no byte of ours followed it. */
  async read(): Promise<FileMark | undefined> {
    const { disk } = this.#room;
    if ((await disk.stat(this.#path)) === undefined) return undefined;
    const file = await disk.open(this.#path, {});
    try {
      const bytes = await file.read(0, MAX_NOTE_BYTES);
      return fileMarkSchema.safeParse(JSON.parse(Buffer.from(bytes).toString())).data;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    } finally {
      await file.close();
    }
  }

  /** Durable, and the output file's own creation with it. */
  async write(mark: FileMark): Promise<void> {
    const { disk, mode, fsync } = this.#room;
    await this.#unlink();
    const file = await disk.open(this.#path, { create: true, mode });
    try {
      const bytes = Buffer.from(JSON.stringify(mark));
      if ((await file.write([bytes])) < bytes.length) throw new Error(`no room for ${this.#path}`);
      if (fsync) await file.sync();
    } finally {
      await file.close();
    }
    if (fsync) await disk.syncDirectory(dirname(this.#path));
  }

  /** For good: one that came back after a power loss would have committed bytes cut. */
  async remove(): Promise<void> {
    await this.#unlink();
    if (this.#room.fsync) await this.#room.disk.syncDirectory(dirname(this.#path));
  }

  async #unlink(): Promise<void> {
    try {
      await this.#room.disk.remove(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

const MAX_NOTE_BYTES = 1024;
