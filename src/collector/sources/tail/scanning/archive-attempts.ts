import type { ArchiveFile } from './archive-files.ts';
import { keyOf } from './archive-ledger.ts';

/** An archive is read again when it has not changed for this time: a program may still write it. */
const UNCHANGED_MS = 1_000;
/** An archive that cannot be inflated counts as unread when it has not changed for this time. */
const COUNT_AFTER_MS = 60_000;

/** The archives about which is not decided, and what the last attempt found. */
export class ArchiveAttempts {
  readonly #last = new Map<string, Attempt>();

  /** What to do with an archive: read it, wait for its end, log the problem, or count it as unread. */
  next(archive: ArchiveFile, streams: string, nowMs: number): 'read' | 'wait' | 'warn' | 'count as unread' {
    const last = this.#last.get(keyOf(archive));
    if (last === undefined) return 'read';
    const isSame =
      last.archive.sizeBytes === archive.sizeBytes && last.archive.modifiedUnixMs === archive.modifiedUnixMs;
    if (!isSame) Object.assign(last, { archive, changedMs: nowMs, mustRead: true });
    const unchangedMs = nowMs - last.changedMs;
    if (last.mustRead) return unchangedMs < UNCHANGED_MS ? 'wait' : 'read';
    if (last.problem === undefined) return last.streams === streams ? 'wait' : 'read';
    if (unchangedMs >= COUNT_AFTER_MS) return 'count as unread';
    if (last.isReported || unchangedMs < UNCHANGED_MS) return 'wait';
    last.isReported = true;
    return 'warn';
  }

  note(
    archive: ArchiveFile,
    found: { readonly streams: string; readonly problem?: string },
    nowMs: number,
  ): void {
    const before = this.#last.get(keyOf(archive));
    this.#last.set(keyOf(archive), {
      ...found,
      archive,
      changedMs: before?.changedMs ?? nowMs,
      mustRead: false,
      isReported: false,
    });
  }

  problemOf(archive: ArchiveFile): string | undefined {
    return this.#last.get(keyOf(archive))?.problem;
  }

  /** The archives that could not be inflated, and do not count as unread yet. */
  failing(): ArchiveFile[] {
    return [...this.#last.values()]
      .filter(({ problem }) => problem !== undefined)
      .map(({ archive }) => archive);
  }

  delete(archive: ArchiveFile): void {
    this.#last.delete(keyOf(archive));
  }

  keep(present: readonly ArchiveFile[]): void {
    const keys = new Set(present.map(keyOf));
    for (const key of this.#last.keys()) if (!keys.has(key)) this.#last.delete(key);
  }
}

interface Attempt {
  archive: ArchiveFile;
  /** Monotonic. */
  changedMs: number;
  /** It has changed since the last attempt. */
  mustRead: boolean;
  isReported: boolean;
  /** The streams with which it was compared. */
  readonly streams: string;
  readonly problem?: string;
}
