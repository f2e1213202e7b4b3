import { dirname } from 'node:path';
import type { FoundFiles } from '../files/find-files.ts';
import { isCompressed, type PathPatterns } from '../files/path-patterns.ts';
import type { FileMatcherParts } from '../identity/file-matcher.ts';
import { findGoneFile, type GoneFile } from '../identity/find-gone-file.ts';
import type { FollowedFiles } from '../identity/followed-files.ts';
import type { FileNames } from './rotated-files.ts';
import { findUnreadGenerations } from './unread-generations.ts';

/** Reports, after the first scan, the bytes that were lost while the collector was not running. */
export class LossReport {
  readonly #patterns: PathPatterns;
  readonly #parts: LossReportParts;
  readonly #files: FollowedFiles;
  readonly #reporting: LossReporting;

  constructor(patterns: PathPatterns, parts: LossReportParts, reporting: LossReporting) {
    this.#patterns = patterns;
    this.#parts = parts;
    this.#files = parts.files;
    this.#reporting = reporting;
  }

  async send(found: FoundFiles, archives: HandledArchives): Promise<void> {
    const rotated = await this.sendGone(found, archives);
    await this.#reportUnreadGenerations((file) => rotated.has(file.path) || archives.isHandled(file));
  }

  /**
   * Streams whose files were deleted or compressed while the collector was not running. Returns the compressed files and
   * copies of these streams.
   */
  async sendGone({ unreadableDirectories }: FoundFiles, archives: HandledArchives): Promise<Set<string>> {
    const rotated = new Set<string>();
    for (const dormant of [...this.#files.dormant.values()]) {
      const { checkpoint } = dormant;
      if (checkpoint.copyOf !== null || checkpoint.finished === true) continue;
      // A deleted file was read as long as it was open. An archive has a name.
      if (checkpoint.deleted === true && !isCompressed(checkpoint.path)) continue;
      if (archives.mayHold(checkpoint)) continue;
      if (unreadableDirectories.has(dirname(checkpoint.path)) || !this.#patterns.entryFor(checkpoint.home))
        continue;
      const gone = await findGoneFile(dormant, this.#reporting.sinceUnixMs);
      // A file that cannot be opened now is not gone: a later scan opens it.
      if (gone.state === 'unreadable') continue;
      if (gone.rotatedTo !== undefined) rotated.add(gone.rotatedTo);
      this.#noteGone(gone);
    }
    return rotated;
  }

  /** Rotated files that no stream has read. */
  async #reportUnreadGenerations(isKnown: (file: NamedFile) => boolean): Promise<void> {
    const { sinceUnixMs } = this.#reporting;
    if (sinceUnixMs === undefined) return;
    const dormant = Array.from(this.#files.dormant.values(), ({ checkpoint }) => checkpoint);
    const followed = this.#files.attached();
    const known = [...dormant, ...followed.map((stream) => stream.checkpoint())];
    const inodes = new Set(followed.map(({ place }) => place.inode));
    const isAccountedFor = (file: NamedFile) => isKnown(file) || inodes.has(file.inode);
    const options = { known, patterns: this.#patterns, sinceUnixMs, isAccountedFor };
    for (const { path, sizeBytes } of await findUnreadGenerations(options))
      this.#parts.events.unreadGeneration({ path, lostBytes: sizeBytes, written: 'stopped' });
  }

  #noteGone({ dormant, unreadBytes: lostBytes, rotatedTo, state }: GoneFile): void {
    const { id, checkpoint } = dormant;
    const position = checkpoint.marks.at(-1)?.[0] ?? 0;
    const { path } = checkpoint;
    if (state !== 'unreadable') {
      const gone = { stream: id, path, position, rotatedTo, state };
      if (lostBytes === undefined) this.#parts.events.goneWithUnknownSize(gone);
      else if (lostBytes !== 0) this.#parts.events.gone({ ...gone, lostBytes });
    }
    const known = { ...checkpoint, finished: true as const, lostBytes: lostBytes ?? 0 };
    dormant.update(known);
    this.#parts.checkpoints.change(id, () => known);
  }
}

interface NamedFile {
  readonly path: string;
  readonly inode: string;
}

/** The archives that are read or reported elsewhere. */
export interface HandledArchives {
  isHandled(file: NamedFile): boolean;
  /** The bytes of the stream may be in an archive that is not complete yet. */
  mayHold(names: FileNames): boolean;
}

type LossReportParts = Pick<FileMatcherParts, 'files' | 'checkpoints' | 'events'>;

/** Settings of the report about the time in which the collector was not running. */
export interface LossReporting {
  /** False for the scan of a command: the next run of the collector reports. */
  readonly isEnabled: boolean;
  /** When an earlier run scanned last; undefined when that is not known. */
  readonly sinceUnixMs: number | undefined;
}
