import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Clock } from '../../../../runtime/clock.ts';
import type { FilePlace } from '../files/file-access.ts';
import type { FoundFile, FoundFiles } from '../files/find-files.ts';
import type { LocalDevices } from '../files/local-devices.ts';
import type { FollowedFiles } from '../identity/followed-files.ts';
import type { FileStream } from '../reading/file-stream.ts';
import { PathStamps } from './path-stamps.ts';

/** A complete scan is made at least this often. */
const SCAN_EVERY_MS = 300_000;
/** After this number of synchronous calls, other work has its turn. */
const CALLS_AT_ONCE = 256;

/**
 * Decides whether a poll needs a complete scan. A scan lists directories and compares all names, which took 7 % of a
 * core for 10,000 idle files. If it could find nothing new, one call of stat for each directory and each file is enough:
 *
 *   - The state of each directory and each archive is that of the moment before the last scan. So no file was created,
 *     renamed or deleted since then.
 *   - The files that no stream reads are unchanged. A followed file that has changed is compared as in a scan.
 *   - No symbolic link without a target has got one.
 *   - Nothing that a scan has found waits for a later scan (`isSettled`).
 *
 * The check reads the same facts as a scan, so it does not depend on notifications of the kernel. It is not used for
 * directories of network file systems, whose calls may take long and whose times may be out of date.
 */
export class QuietCheck {
  readonly #parts: QuietCheckParts;
  readonly #stamps: PathStamps;
  /** Files that no stream reads. Undefined: the next poll needs a scan. */
  #unread: readonly FoundFile[] | undefined;
  #brokenLinks: ReadonlySet<string> = new Set();
  #scannedMs = 0;
  #calls = 0;

  constructor(parts: QuietCheckParts) {
    this.#parts = parts;
    this.#stamps = new PathStamps(parts.localDevices);
  }

  /** A scan begins. */
  async began(): Promise<void> {
    this.#unread = undefined;
    await this.#stamps.refresh();
  }

  /** A scan has ended. */
  ended(found: FoundFiles): void {
    const { files, directories, unreadableDirectories, nonUtf8Paths, archives, brokenLinks } = found;
    const isCovered = this.#stamps.cover(new Set([...directories, ...archives]));
    this.#brokenLinks = brokenLinks;
    this.#scannedMs = this.#parts.clock.monotonicMs();
    // The files of a directory that cannot be read are not known.
    if (!isCovered || unreadableDirectories.size + nonUtf8Paths.size > 0) return;
    this.#unread = files.filter((file) => this.#parts.files.streamOf(file) === undefined);
  }

  /** True when a scan would find nothing else. Changed files were compared then. */
  async isEnough(): Promise<boolean> {
    if (this.#unread === undefined || !this.#parts.isSettled()) return false;
    if (this.#parts.clock.monotonicMs() - this.#scannedMs >= SCAN_EVERY_MS) return false;
    if (!this.#stamps.areUnchanged()) return false;
    for (const file of this.#unread) if (!isSame(await this.#stat(file), file)) return false;
    for (const path of this.#brokenLinks) if (await exists(path)) return false;
    for (const stream of this.#parts.files.attached()) if (!(await this.#checkFollowed(stream))) return false;
    return this.#parts.files.lost.size === 0;
  }

  /** False when another file, or none, is at its path. */
  async #checkFollowed(stream: FileStream): Promise<boolean> {
    const found = await this.#stat(stream.place);
    if (found === undefined || String(found.ino) !== stream.place.inode || stream.file.failure !== undefined)
      return false;
    const isUnchanged =
      found.size === stream.sizeBytes && Math.floor(found.mtimeMs) === stream.modifiedUnixMs;
    if (!isUnchanged || stream.isInDoubt) return this.#parts.compare(stream);
    if (stream.position < stream.sizeBytes) stream.wake();
    return true;
  }

  /** A local directory may contain a file of another file system: a mount of one file. */
  async #stat({ path, device }: FilePlace): Promise<Stats | undefined> {
    if (!this.#parts.localDevices.has(device)) return stat(path).catch(() => undefined);
    if (++this.#calls % CALLS_AT_ONCE === 0) await otherWork();
    try {
      return statSync(path);
    } catch {
      return undefined;
    }
  }
}

/** Not synchronous: the target of a link may be on a network. */
function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isSame(found: Stats | undefined, { inode, sizeBytes, modifiedUnixMs }: FoundFile): boolean {
  return (
    found !== undefined &&
    String(found.ino) === inode &&
    found.size === sizeBytes &&
    Math.floor(found.mtimeMs) === modifiedUnixMs
  );
}

export interface QuietCheckParts {
  readonly files: FollowedFiles;
  readonly localDevices: Pick<LocalDevices, 'has' | 'examine'>;
  readonly clock: Clock;
  /** False when something that a scan has found waits for a later scan. */
  readonly isSettled: () => boolean;
  /** Compares a followed file that has changed, as a scan does. False when a scan is needed. */
  readonly compare: (stream: FileStream) => Promise<boolean>;
}
