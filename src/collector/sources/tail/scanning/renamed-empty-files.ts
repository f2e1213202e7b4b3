import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { compressionOf, MAGIC_BYTES } from '../files/compression-magic.ts';
import type { TailEvents } from '../files/events.ts';
import { FileAccess } from '../files/file-access.ts';
import type { FoundFile } from '../files/find-files.ts';
import type { OpenFiles } from '../files/open-files.ts';
import type { PathPatterns } from '../files/path-patterns.ts';
import { readBytes } from '../files/read-bytes.ts';
import { type FollowedFiles, fileKey } from '../identity/followed-files.ts';
import { candidateOf } from '../identity/open-candidate.ts';
import type { StreamStarter } from '../identity/stream-starter.ts';

/**
 * Files that were empty in a scan, and that were written and renamed before the next one, to a name that no pattern
 * matches. The inode and the time of creation show that it is the same file, so it is read from its beginning, under
 * the path where it was empty.
 */
export class RenamedEmptyFiles {
  readonly #parts: RenamedEmptyFilesParts;
  #empty = new Map<string, FoundFile>();
  /** Files that were renamed and are still empty. */
  #renamed = 0;

  constructor(parts: RenamedEmptyFilesParts) {
    this.#parts = parts;
  }

  /** A file that was renamed may get its first bytes: no directory reports that. */
  get isWaiting(): boolean {
    return this.#renamed > 0;
  }

  /** Called with the files of each listing. */
  async follow(found: readonly FoundFile[]): Promise<void> {
    const present = new Set(found.map(keyOf));
    const gone = [...this.#empty.values()].filter((file) => !present.has(keyOf(file)));
    this.#empty = new Map(
      found.filter(({ sizeBytes }) => sizeBytes === 0).map((file) => [keyOf(file), file]),
    );
    this.#renamed = 0;
    for (const file of gone) await this.#followOne(file);
  }

  async #followOne(before: FoundFile): Promise<void> {
    const { patterns, files, openFiles } = this.#parts;
    const directory = dirname(before.target ?? before.path);
    const path = (await openFiles.directories.list(directory)).get(before.inode);
    if (path === undefined || patterns.classify(path).kind !== 'no-pattern') return;
    const state = await stat(path, { bigint: true }).catch(() => undefined);
    if (state === undefined || String(state.birthtimeNs) !== before.birthNs) return;
    // It may still be written.
    if (state.size === 0n) {
      this.#empty.set(keyOf(before), before);
      this.#renamed++;
    } else if (files.streamOf(before) === undefined)
      await this.#start(before, {
        path,
        sizeBytes: Number(state.size),
        modifiedUnixMs: Number(state.mtimeMs),
      });
  }

  async #start(
    before: FoundFile,
    now: Pick<FoundFile, 'path' | 'sizeBytes' | 'modifiedUnixMs'>,
  ): Promise<void> {
    const { openFiles, events, starter } = this.#parts;
    const { target: _target, ...known } = before;
    const found = { ...known, ...now };
    const file = new FileAccess(found, openFiles);
    const isStarted = await file.use(async (handle) => {
      const candidate = await candidateOf(handle, file, { onCompare: () => events.compared() });
      if (candidate.sizeBytes === 0) return false;
      if (compressionOf(await readBytes(handle, 0, MAGIC_BYTES)) !== undefined) return false;
      const { path: home } = before;
      starter.startMovedAway({ candidate, file, found }, { home, lineage: starter.lineageAt(home) });
      return true;
    });
    if (isStarted !== true) await file.close();
  }
}

export interface RenamedEmptyFilesParts {
  readonly files: FollowedFiles;
  readonly patterns: PathPatterns;
  readonly openFiles: OpenFiles;
  readonly starter: StreamStarter;
  readonly events: TailEvents;
}

function keyOf(file: FoundFile): string {
  return `${fileKey(file)}:${file.birthNs}`;
}
