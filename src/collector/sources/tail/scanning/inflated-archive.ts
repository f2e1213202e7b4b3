import { type FileHandle, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AccessFailure, FileContentOpener, FilePlace, FileState } from '../files/file-access.ts';
import { inflateFile } from '../files/inflate-file.ts';
import type { OpenFiles } from '../files/open-files.ts';
import type { InflationRoom } from './inflation-room.ts';

/** The content of an archive, which is inflated to a file without a name while it is read. */
export class InflatedArchive implements FileContentOpener {
  readonly state: FileState;
  readonly #room: InflationRoom;
  readonly #openFiles: OpenFiles;
  #held = 0;

  constructor(
    { sizeBytes, modifiedUnixMs }: { readonly sizeBytes: number; readonly modifiedUnixMs: number },
    parts: { readonly room: InflationRoom; readonly openFiles: OpenFiles },
  ) {
    this.state = { sizeBytes, unlinked: true, modifiedUnixMs };
    this.#room = parts.room;
    this.#openFiles = parts.openFiles;
  }

  async open({ path, inode }: FilePlace): Promise<FileHandle | AccessFailure> {
    const here = await this.#pathOf(path, inode);
    if (here === undefined) return 'gone';
    const { sizeBytes } = this.state;
    if (!this.#room.take(sizeBytes)) return 'waiting';
    const handle = await this.#inflate(here, inode);
    if (handle === undefined) this.#room.release(sizeBytes);
    else this.#held = sizeBytes;
    return handle ?? 'unreadable';
  }

  closed(): void {
    this.#room.release(this.#held);
    this.#held = 0;
  }

  /** A rotation may have renamed the archive. */
  async #pathOf(path: string, inode: string): Promise<string | undefined> {
    const here = await stat(path, { bigint: true }).catch(() => undefined);
    if (here !== undefined && String(here.ino) === inode) return path;
    return (await this.#openFiles.directories.list(dirname(path))).get(inode);
  }

  /** Undefined when the disk has no space, or when the archive has another content now. */
  async #inflate(path: string, inode: string): Promise<FileHandle | undefined> {
    const handle = await inflateFile(path, {
      directory: this.#room.directory,
      maxBytes: this.state.sizeBytes,
      inode,
    });
    if (typeof handle === 'string') return undefined;
    if ((await handle.stat()).size === this.state.sizeBytes) return handle;
    await handle.close();
    return undefined;
  }
}
