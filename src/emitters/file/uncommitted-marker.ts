import { basename, dirname, join } from 'node:path';
import { type FileEnd, fileEndSchema } from './file-end.ts';
import type { OutputContext } from './output-context.ts';

/**
 * A small file next to an output file without a committed state: it contains the offset of the emitter's
 * first byte. After a crash before the first commit, the output file is truncated to it, since its records
 * will be emitted again. The marker is written before the first byte, and removed after the first commit.
 */
export class UncommittedMarker {
  readonly #context: OutputContext;
  readonly #path: string;

  constructor(outputPath: string, context: OutputContext) {
    this.#context = context;
    this.#path = join(dirname(outputPath), `.${basename(outputPath)}.uncommitted`);
  }

  /** Returns undefined if there is none, or if it is incomplete: then no bytes were written after it. */
  async read(): Promise<FileEnd | undefined> {
    const { disk } = this.#context;
    if ((await disk.stat(this.#path)) === undefined) return undefined;
    const file = await disk.open(this.#path, {});
    try {
      const bytes = await file.read(0, MAX_MARKER_BYTES);
      return fileEndSchema.safeParse(JSON.parse(Buffer.from(bytes).toString())).data;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    } finally {
      await file.close();
    }
  }

  /** Writes the marker durably, which also makes the creation of the output file durable. */
  async write(start: FileEnd): Promise<void> {
    const { disk, mode, fsync } = this.#context;
    await this.#unlink();
    const file = await disk.open(this.#path, { create: true, mode });
    try {
      const bytes = Buffer.from(JSON.stringify(start));
      if ((await file.write([bytes])) < bytes.length)
        throw new Error(`cannot write ${this.#path}: no space left`);
      if (fsync) await file.sync();
    } finally {
      await file.close();
    }
    if (fsync) await disk.syncDirectory(dirname(this.#path));
  }

  /**
   * Removes it durably: a marker that reappears after a power loss would cause committed bytes to be
   * truncated.
   */
  async remove(): Promise<void> {
    await this.#unlink();
    if (this.#context.fsync) await this.#context.disk.syncDirectory(dirname(this.#path));
  }

  async #unlink(): Promise<void> {
    try {
      await this.#context.disk.remove(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

const MAX_MARKER_BYTES = 1024;
