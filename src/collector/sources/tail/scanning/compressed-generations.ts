import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '../../../../runtime/clock.ts';
import { compressionOf, MAGIC_BYTES } from '../files/compression-magic.ts';
import type { TailEvents } from '../files/events.ts';
import { FileAccess } from '../files/file-access.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import { readGzipContent } from '../files/gzip-file.ts';
import { canInflate, inflateFile } from '../files/inflate-file.ts';
import type { OpenFiles } from '../files/open-files.ts';
import type { PathPatterns } from '../files/path-patterns.ts';
import { readBytes } from '../files/read-bytes.ts';
import type { DormantStream } from '../identity/dormant-streams.ts';
import type { FollowedFiles } from '../identity/followed-files.ts';
import { candidateOf, type OpenCandidate } from '../identity/open-candidate.ts';
import { hasAllBytes } from '../identity/same-file.ts';
import type { StreamStarter } from '../identity/stream-starter.ts';
import type { FileStream } from '../reading/file-stream.ts';
import { unaccountedContent } from './accounted-content.ts';
import { namesOf, type RotatedFile, RotatedFiles } from './rotated-files.ts';

/**
 * Files that were compressed while the collector was not running. Identity and positions are those of the
 * inflated bytes: a stream continues in `app.log.1.gz` if its content has all bytes that were read of `app.log`, so
 * only the unread rest is sent. A compressed generation that was written after the last scan, and whose beginning no
 * stream knows, is read from its beginning.
 *
 * The content is inflated to a file without a name, which is read like a deleted file that is still open.
 */
export class CompressedGenerations {
  readonly #parts: CompressedGenerationsParts;
  /** The compressed files that streams read. */
  readonly followed = new Set<string>();

  constructor(parts: CompressedGenerationsParts) {
    this.#parts = parts;
  }

  async follow(): Promise<void> {
    const { files, patterns, inflation } = this.#parts;
    if (inflation === undefined) return;
    const names = [...files.dormant.values()].map(({ checkpoint }) => checkpoint);
    const followed = files.attached().map((stream) => stream.checkpoint());
    const rotated: RotatedFile[] = [];
    for await (const file of new RotatedFiles(patterns).find([...names, ...followed]))
      if (canInflate(file.path)) rotated.push(file);
    for (const file of rotated.sort((a, b) => a.modifiedUnixMs - b.modifiedUnixMs))
      await this.#followOne(file, inflation);
  }

  async #followOne(file: RotatedFile, inflation: Inflation): Promise<void> {
    const continuing = await this.#mayContinue(file);
    const isUnseen = continuing.length === 0 && (await this.#isUnseen(file, inflation));
    if (continuing.length === 0 && !isUnseen) return;
    const { path } = file;
    const handle = await inflateFile(path, inflation);
    if (typeof handle === 'string') {
      this.#parts.events.notInflated({ path, reason: handle });
      return;
    }
    const stream = await this.#start(file, handle, continuing);
    if (stream === undefined) return;
    this.followed.add(path);
    stream.presence.markDeleted(this.#parts.clock.monotonicMs());
    stream.presence.markPathAbsent();
  }

  /** Dormant streams with unread bytes, of which this may be the file. */
  async #mayContinue({ path, originals }: RotatedFile): Promise<DormantStream[]> {
    const streams = [...this.#parts.files.dormant.values()].filter(
      ({ checkpoint }) =>
        checkpoint.copyOf === null &&
        checkpoint.finished !== true &&
        originals.some((original) => namesOf(checkpoint).has(original)),
    );
    if (streams.length === 0 || !path.endsWith('.gz')) return streams;
    const content = await readGzipContent(path);
    return streams.filter(({ checkpoint }) => content?.beginning.matches(checkpoint.prefix) === true);
  }

  async #isUnseen(file: RotatedFile, { sinceUnixMs }: Inflation): Promise<boolean> {
    if (sinceUnixMs === undefined || file.modifiedUnixMs <= sinceUnixMs) return false;
    const known = this.#known().map((checkpoint) => ({ checkpoint }));
    return !(await unaccountedContent(file.path, known)).isAccountedFor;
  }

  #known(): readonly FileCheckpoint[] {
    const { dormant, streams } = this.#parts.files;
    return [
      ...Array.from(dormant.values(), ({ checkpoint }) => checkpoint),
      ...Array.from(streams.values(), (stream) => stream.checkpoint()),
    ];
  }

  async #start(
    rotated: RotatedFile,
    handle: FileHandle,
    continuing: readonly DormantStream[],
  ): Promise<FileStream | undefined> {
    const { events, openFiles } = this.#parts;
    const { dev, ino } = await handle.stat({ bigint: true });
    // A deleted file keeps the path at which it was written.
    const path = this.#homeOf(rotated) ?? rotated.path;
    const place = { path, device: String(dev), inode: String(ino) };
    const file = FileAccess.ofOpen(handle, place, openFiles);
    const stream = await file.use(async () => {
      const candidate = await candidateOf(handle, file, { onCompare: () => events.compared() });
      const found = { rotated, file, candidate };
      for (const dormant of continuing)
        if (await hasAllBytes(dormant.checkpoint, candidate)) return this.#resume(dormant, found);
      return this.#startNew(found);
    });
    if (stream === undefined) await file.close();
    return stream;
  }

  #resume({ id, checkpoint }: DormantStream, { rotated, file, candidate }: Inflated): FileStream | undefined {
    const entry = this.#parts.patterns.entryFor(checkpoint.home);
    const [position = 0] = checkpoint.marks.at(-1) ?? [];
    const { sizeBytes, birth } = candidate;
    if (entry === undefined || sizeBytes <= position) return undefined;
    const { birth: _before, ...rest } = checkpoint;
    const known = birth === undefined ? rest : { ...rest, birth };
    const { modifiedUnixMs } = rotated;
    file.movedTo(checkpoint.home);
    return this.#parts.starter.resumeDormant(
      { id, checkpoint: known },
      { file, entry, sizeBytes, modifiedUnixMs },
    );
  }

  async #startNew({ rotated, file, candidate }: Inflated): Promise<FileStream | undefined> {
    const { inflation, patterns, starter } = this.#parts;
    if (!(await this.#isUnseen(rotated, inflation ?? NO_INFLATION))) return undefined;
    if (!(await this.#isUnknownText(candidate))) return undefined;
    const home = this.#homeOf(rotated);
    const entry = home === undefined ? undefined : patterns.entryFor(home);
    if (home === undefined || entry === undefined) return undefined;
    const lineage = this.#known().find((known) => namesOf(known).has(home))?.lineage ?? home;
    const { modifiedUnixMs, birthNs } = rotated;
    const found = { ...file.place, sizeBytes: candidate.sizeBytes, modifiedUnixMs, birthNs, entry };
    return starter.startMovedAway({ candidate, file, found }, { home, lineage });
  }

  #homeOf({ originals }: RotatedFile): string | undefined {
    return originals.find((original) => this.#parts.patterns.entryFor(original) !== undefined);
  }

  async #isUnknownText({ handle, beginning, sizeBytes }: OpenCandidate): Promise<boolean> {
    if (sizeBytes === 0) return false;
    if (this.#known().some(({ prefix }) => prefix.length > 0 && beginning.matches(prefix))) return false;
    return compressionOf(await readBytes(handle, 0, MAGIC_BYTES)) === undefined;
  }
}

/** Where and how compressed files are inflated. */
export interface Inflation {
  readonly directory: string;
  /** The maximum size of a content. */
  readonly maxBytes: number;
  /** When an earlier run scanned last; undefined when that is not known. */
  readonly sinceUnixMs: number | undefined;
}

const NO_INFLATION: Inflation = { directory: '', maxBytes: 0, sinceUnixMs: undefined };

export interface CompressedGenerationsParts {
  readonly files: FollowedFiles;
  readonly patterns: PathPatterns;
  readonly openFiles: OpenFiles;
  readonly starter: StreamStarter;
  readonly events: TailEvents;
  readonly clock: Clock;
  /** Undefined: compressed files are not read. */
  readonly inflation: Inflation | undefined;
}

interface Inflated {
  readonly rotated: RotatedFile;
  readonly file: FileAccess;
  readonly candidate: OpenCandidate;
}
