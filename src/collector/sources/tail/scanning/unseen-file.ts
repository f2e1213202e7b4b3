import { stat } from 'node:fs/promises';
import { compressionOf, MAGIC_BYTES } from '../files/compression-magic.ts';
import type { TailEvents } from '../files/events.ts';
import { FileAccess } from '../files/file-access.ts';
import type { OpenFiles } from '../files/open-files.ts';
import type { PathPatterns } from '../files/path-patterns.ts';
import { readBytes } from '../files/read-bytes.ts';
import type { TailEntry } from '../files/tail-configuration.ts';
import { candidateOf, type OpenCandidate } from '../identity/open-candidate.ts';
import type { StreamStarter } from '../identity/stream-starter.ts';
import type { AccountedStream } from './accounted-content.ts';
import { namesOf, type RotatedFile } from './rotated-files.ts';

/**
 * A rotated file that no scan saw at a path that is read. It is read under the path from which the rotation
 * made its name, if all of this is known:
 *
 *   - The file was created after a known generation of the path.
 *   - The file at the path now was created after it, or no file is there. So the rotated file is no copy of a
 *     file that is still at the path.
 *   - No known stream begins with the same bytes. So it is no copy of one.
 *   - It is text.
 */
export class UnseenFile {
  readonly #file: RotatedFile;
  readonly #parts: UnseenFileParts;

  constructor(file: RotatedFile, parts: UnseenFileParts) {
    this.#file = file;
    this.#parts = parts;
  }

  async follow(known: readonly AccountedStream[]): Promise<void> {
    for (const original of this.#file.originals) {
      const entry = this.#parts.patterns.entryFor(original);
      if (entry === undefined) continue;
      const lineage = await this.#lineageAt(original, known);
      if (lineage !== undefined) return this.#start(known, { home: original, lineage, entry });
    }
  }

  /** The path of which it is the generation, if the times of creation show that. */
  async #lineageAt(original: string, known: readonly AccountedStream[]): Promise<string | undefined> {
    const birth = BigInt(this.#file.birthNs);
    const older = known.find(
      ({ checkpoint }) =>
        checkpoint.copyOf === null &&
        checkpoint.birth !== undefined &&
        BigInt(checkpoint.birth) <= birth &&
        namesOf(checkpoint).has(original),
    );
    if (older === undefined) return undefined;
    const there = await stat(original, { bigint: true }).catch(() => undefined);
    const isReplaced =
      there === undefined || (String(there.ino) !== older.checkpoint.inode && there.birthtimeNs >= birth);
    return isReplaced ? older.checkpoint.lineage : undefined;
  }

  async #start(known: readonly AccountedStream[], generation: Generation): Promise<void> {
    const { path, device, inode, sizeBytes, modifiedUnixMs, birthNs } = this.#file;
    const file = new FileAccess({ path, device, inode }, this.#parts.openFiles);
    const isStarted = await file.use(async (handle) => {
      const candidate = await candidateOf(handle, file, { onCompare: () => this.#parts.events.compared() });
      if (candidate.birth !== birthNs || !(await isUnknownText(candidate, known))) return false;
      const { entry } = generation;
      const found = { path, device, inode, sizeBytes, modifiedUnixMs, birthNs, entry };
      this.#parts.starter.startMovedAway({ candidate, file, found }, generation);
      return true;
    });
    if (isStarted !== true) await file.close();
  }
}

export interface UnseenFileParts {
  readonly patterns: PathPatterns;
  readonly openFiles: OpenFiles;
  readonly events: TailEvents;
  readonly starter: StreamStarter;
}

/** The path at which a file was written. */
interface Generation {
  readonly home: string;
  readonly lineage: string;
  readonly entry: TailEntry;
}

async function isUnknownText(
  { handle, beginning, sizeBytes }: OpenCandidate,
  known: readonly AccountedStream[],
): Promise<boolean> {
  if (sizeBytes === 0) return false;
  if (known.some(({ checkpoint: { prefix } }) => beginning.matches(prefix))) return false;
  return compressionOf(await readBytes(handle, 0, MAGIC_BYTES)) === undefined;
}
