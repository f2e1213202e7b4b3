import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './running-process.ts';

const FILL_CHUNK_BYTES = 1024 * 1024;

/** Removes all disks, even after a Ctrl-C. */
const mounted = new Set<string>();
process.once('exit', () => {
  for (const directory of mounted) spawnSync('umount', ['-l', directory]);
});

/** A separate file system in memory, small enough to be filled. */
export class SmallDisk {
  readonly directory: string;
  readonly #fillerPath: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.#fillerPath = join(directory, 'filler');
  }

  /** undefined: mounting is not permitted here. */
  static async mount(directory: string, megabytes: number): Promise<SmallDisk | undefined> {
    mkdirSync(directory, { recursive: true });
    try {
      await runCommand({
        name: 'mount',
        command: 'mount',
        args: ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory],
      });
      mounted.add(directory);
      return new SmallDisk(directory);
    } catch {
      return undefined;
    }
  }

  /** Uses all space except this much. Other writers may leave less. */
  fill(leaveBytes: number): void {
    const filler = openSync(this.#fillerPath, 'a');
    const chunk = Buffer.alloc(FILL_CHUNK_BYTES);
    try {
      for (let free = this.#freeBytes(); free > leaveBytes; free = this.#freeBytes()) {
        writeSync(filler, chunk, 0, Math.min(chunk.length, free - leaveBytes));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(filler);
    }
  }

  free(): void {
    if (existsSync(this.#fillerPath)) rmSync(this.#fillerPath);
  }

  async unmount(): Promise<void> {
    await runCommand({ name: 'umount', command: 'umount', args: ['-l', this.directory] });
    mounted.delete(this.directory);
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.directory);
    return bavail * bsize;
  }
}
