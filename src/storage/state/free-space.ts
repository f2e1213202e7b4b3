import type { Clock } from '../../runtime/clock.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';

/**
 * The reserve of the disk that intake and journals do not use, so that cursors and checkpoints can still be
 * committed when the rest is full. Queries the disk at most once a second.
 */
export class FreeSpace {
  readonly #options: Required<FreeSpaceOptions>;
  #checkedMs: number | undefined;
  #shortage: string | undefined;

  constructor(options: FreeSpaceOptions) {
    this.#options = {
      fileSystem: nodeFileSystem,
      reserveBytes: DEFAULT_RESERVE_BYTES,
      reserveFraction: DEFAULT_RESERVE_FRACTION,
      ...options,
    };
  }

  /** Why no more data should be accepted, as of the last check; undefined: there is room. */
  get shortage(): string | undefined {
    return this.#shortage;
  }

  /** Queries the disk if the last result is older than a second. A failed query counts as enough space. */
  async check(): Promise<string | undefined> {
    const { clock, fileSystem, directory, reserveBytes, reserveFraction } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#checkedMs !== undefined && nowMs - this.#checkedMs < CHECK_EVERY_MS) return this.#shortage;
    this.#checkedMs = nowMs;
    try {
      const { availableBytes, totalBytes } = await fileSystem.space(directory);
      const reserve = Math.max(reserveBytes, totalBytes * reserveFraction);
      this.#shortage =
        availableBytes >= reserve
          ? undefined
          : `disk is nearly full: ${mebibytes(availableBytes)} are free, ${mebibytes(reserve)} are kept in reserve`;
    } catch {
      this.#shortage = undefined;
    }
    return this.#shortage;
  }
}

export interface FreeSpaceOptions {
  /** Any directory of the disk. */
  readonly directory: string;
  readonly clock: Clock;
  readonly fileSystem?: Pick<FileSystem, 'space'>;
  /** The reserve is the larger of the two. */
  readonly reserveBytes?: number;
  readonly reserveFraction?: number;
}

const DEFAULT_RESERVE_BYTES = 256 * 1024 * 1024;
const DEFAULT_RESERVE_FRACTION = 0.02;
const CHECK_EVERY_MS = 1000;

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}
