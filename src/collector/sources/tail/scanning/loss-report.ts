import { dirname } from 'node:path';
import type { FoundFiles } from '../files/find-files.ts';
import type { PathPatterns } from '../files/path-patterns.ts';
import type { FileMatcherParts } from '../identity/file-matcher.ts';
import { findGoneFile, type GoneFile } from '../identity/find-gone-file.ts';
import type { FollowedFiles } from '../identity/followed-files.ts';
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

  /** `followed`: compressed files that streams read. */
  async send(found: FoundFiles, followed: ReadonlySet<string>): Promise<void> {
    await this.#reportGone(found, followed);
  }

  /** Streams whose files were deleted or compressed while the collector was not running. */
  async #reportGone({ unreadableDirectories }: FoundFiles, followed: ReadonlySet<string>): Promise<void> {
    const rotated = new Set(followed);
    for (const dormant of [...this.#files.dormant.values()]) {
      const { checkpoint } = dormant;
      if (checkpoint.copyOf !== null || checkpoint.finished === true || checkpoint.deleted === true) continue;
      if (unreadableDirectories.has(dirname(checkpoint.path)) || !this.#patterns.entryFor(checkpoint.home))
        continue;
      const gone = await findGoneFile(dormant, this.#reporting.sinceUnixMs);
      // A file that cannot be opened now is not gone: a later scan opens it.
      if (gone.state === 'unreadable') continue;
      if (gone.rotatedTo !== undefined) rotated.add(gone.rotatedTo);
      this.#noteGone(gone);
    }
    await this.#reportUnreadGenerations(rotated);
  }

  /** Rotated files that no stream has read. `rotated`: the compressed files and copies of known streams. */
  async #reportUnreadGenerations(rotated: ReadonlySet<string>): Promise<void> {
    const { sinceUnixMs } = this.#reporting;
    if (sinceUnixMs === undefined) return;
    const dormant = Array.from(this.#files.dormant.values(), ({ checkpoint }) => checkpoint);
    const followed = this.#files.attached();
    const known = [...dormant, ...followed.map((stream) => stream.checkpoint())];
    const inodes = new Set(followed.map(({ place }) => place.inode));
    const isAccountedFor = ({ path, inode }: { readonly path: string; readonly inode: string }) =>
      rotated.has(path) || inodes.has(inode);
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

type LossReportParts = Pick<FileMatcherParts, 'files' | 'checkpoints' | 'events'>;

/** Settings of the report about the time in which the collector was not running. */
export interface LossReporting {
  /** False for the scan of a command: the next run of the collector reports. */
  readonly isEnabled: boolean;
  /** When an earlier run scanned last; undefined when that is not known. */
  readonly sinceUnixMs: number | undefined;
}
