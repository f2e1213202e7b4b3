import { dirname } from 'node:path';
import type { FoundFiles } from '../files/find-files.ts';
import type { PathPatterns } from '../files/path-patterns.ts';
import type { FileMatcherParts } from '../identity/file-matcher.ts';
import { findGoneFile, type GoneFile } from '../identity/find-gone-file.ts';
import type { FollowedFiles } from '../identity/followed-files.ts';
import { findUnreadGenerations } from './unread-generations.ts';

/** Reports once, after the first scan, the bytes that were lost while the collector was not running. */
export class LossReport {
  readonly #patterns: PathPatterns;
  readonly #parts: LossReportParts;
  readonly #files: FollowedFiles;
  readonly #reporting: LossReporting;
  #isSent = false;

  constructor(patterns: PathPatterns, parts: LossReportParts, reporting: LossReporting) {
    this.#patterns = patterns;
    this.#parts = parts;
    this.#files = parts.files;
    this.#reporting = reporting;
  }

  async send(found: FoundFiles): Promise<void> {
    if (!this.#reporting.isEnabled || this.#isSent) return;
    this.#isSent = true;
    await this.#reportGone(found);
  }

  /** Streams whose files were deleted or compressed while the collector was not running. */
  async #reportGone({ unreadableDirectories }: FoundFiles): Promise<void> {
    const compressed = new Set<string>();
    for (const dormant of [...this.#files.dormant.values()]) {
      const { checkpoint } = dormant;
      if (checkpoint.copyOf !== null || checkpoint.finished === true || checkpoint.deleted === true) continue;
      if (unreadableDirectories.has(dirname(checkpoint.path)) || !this.#patterns.entryFor(checkpoint.home))
        continue;
      const gone = await findGoneFile(dormant);
      if (gone.compressedTo !== undefined) compressed.add(gone.compressedTo);
      this.#noteGone(gone);
    }
    await this.#reportUnreadGenerations(compressed);
  }

  /** Rotated files that no stream has read. `compressed`: the compressed files of known streams. */
  async #reportUnreadGenerations(compressed: ReadonlySet<string>): Promise<void> {
    const { sinceUnixMs } = this.#reporting;
    if (sinceUnixMs === undefined) return;
    const dormant = Array.from(this.#files.dormant.values(), ({ checkpoint }) => checkpoint);
    const followed = this.#files.attached();
    const known = [...dormant, ...followed.map((stream) => stream.checkpoint())];
    const inodes = new Set(followed.map(({ place }) => place.inode));
    const isAccountedFor = ({ path, inode }: { readonly path: string; readonly inode: string }) =>
      compressed.has(path) || inodes.has(inode);
    const options = { known, patterns: this.#patterns, sinceUnixMs, isAccountedFor };
    for (const { path, sizeBytes } of await findUnreadGenerations(options))
      this.#parts.events.unreadGeneration({ path, lostBytes: sizeBytes });
  }

  #noteGone({ dormant, unreadBytes: lostBytes, compressedTo }: GoneFile): void {
    const { id, checkpoint } = dormant;
    const position = checkpoint.marks.at(-1)?.[0] ?? 0;
    const { path } = checkpoint;
    const fields = { stream: id, path, position, compressedTo };
    if (lostBytes === undefined) this.#parts.events.goneWithUnknownSize(fields);
    else if (lostBytes !== 0) this.#parts.events.gone({ ...fields, lostBytes });
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
