import type { Clock } from '../../../../runtime/clock.ts';
import type { TailEvents } from '../files/events.ts';
import type { PathPatterns } from '../files/path-patterns.ts';
import { isCompressed } from '../files/path-patterns.ts';
import { type FollowedFiles, fileKey } from '../identity/followed-files.ts';
import type { StreamStarter } from '../identity/stream-starter.ts';
import type { FileStream } from '../reading/file-stream.ts';
import { type AccountedStream, unaccountedContent } from './accounted-content.ts';
import { type FileNames, namesOf, type RotatedFile, RotatedFiles } from './rotated-files.ts';
import { UnseenFile, type UnseenFileParts } from './unseen-file.ts';

/** A file is reported when it was unchanged for this time: a program may still write or compress it. */
const UNCHANGED_MS = 1_000;

/**
 * Generations that were created, written and rotated between two scans, while the collector runs. No scan saw
 * them at a path that is read, and their names are not read.
 *
 * A generation is read if the evidence is exact (`UnseenFile`). Otherwise it is reported and counted, unless
 * the streams account for its content. The files that exist at the start are no unseen generations:
 * `findUnreadGenerations` reports them.
 */
export class UnseenGenerations {
  readonly #parts: UnseenGenerationsParts;
  readonly #files: FollowedFiles;
  readonly #rotated: RotatedFiles;
  /** The rotated files about which is decided. Undefined until the first scan has ended. */
  #decided: Set<string> | undefined;
  /** The paths that were known when the last scan ended. A rotated file of another path is no unseen one. */
  #paths: ReadonlySet<string> = new Set();
  #unchanged = new Map<string, UnchangedFile>();
  #hasEmpty = false;

  constructor(parts: UnseenGenerationsParts) {
    this.#parts = parts;
    this.#files = parts.files;
    this.#rotated = new RotatedFiles(parts.patterns);
  }

  /** The time of the oldest write to a file that is not reported yet; undefined when there is none. */
  get undecidedSinceUnixMs(): number | undefined {
    const times = Array.from(this.#unchanged.values(), ({ file }) => file.modifiedUnixMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** A rotated file that is empty may get its first bytes: no directory reports that. */
  get isWaiting(): boolean {
    return this.#hasEmpty;
  }

  /** The rotated files that exist at the start. */
  async recordFirst(): Promise<void> {
    const decided = new Set<string>();
    for await (const file of this.#rotated.find(this.#names())) decided.add(identityOf(file));
    this.#decided = decided;
    this.#paths = this.#knownPaths();
  }

  /** Starts streams of the unseen generations that can be read, the oldest first. */
  async follow(): Promise<void> {
    if (this.#decided === undefined) return;
    const unseen = (await this.#listUnseen()).filter(({ path }) => !isCompressed(path));
    for (const file of unseen.sort(compareByBirth)) {
      await new UnseenFile(file, this.#parts).follow(this.#accounted());
    }
  }

  /** Reports the unseen generations that are not read. `isHandled`: archives that are read or reported elsewhere. */
  async report(isHandled: (file: RotatedFile) => boolean): Promise<void> {
    if (this.#decided === undefined) return;
    const unseen = (await this.#listUnseen()).filter((file) => !isHandled(file));
    let accounted: readonly AccountedStream[] | undefined;
    const nowMs = this.#parts.clock.monotonicMs();
    const before = this.#unchanged;
    this.#unchanged = new Map();
    for (const file of unseen) {
      const key = identityOf(file);
      const known = before.get(key);
      const isSame = known !== undefined && isUnchanged(known.file, file);
      const sinceMs = isSame ? known.sinceMs : nowMs;
      if (nowMs - sinceMs < UNCHANGED_MS) this.#unchanged.set(key, { file, sinceMs });
      else {
        this.#decided?.add(key);
        accounted ??= this.#accounted();
        await this.#decide(file, accounted);
      }
    }
    this.#paths = this.#knownPaths();
  }

  async #decide(file: RotatedFile, known: readonly AccountedStream[]): Promise<void> {
    const content = await unaccountedContent(file.path, known);
    if (content.isAccountedFor || (content.sizeBytes === undefined && hasTimeOfWrite(file, known))) return;
    const { path } = file;
    this.#parts.events.unreadGeneration({ path, lostBytes: content.sizeBytes, written: 'running' });
  }

  async #listUnseen(): Promise<RotatedFile[]> {
    const decided = new Set<string>();
    const unseen: RotatedFile[] = [];
    this.#hasEmpty = false;
    for await (const file of this.#rotated.find(this.#names())) {
      const key = identityOf(file);
      const isKnown =
        this.#decided?.has(key) === true ||
        this.#files.streamOf(file) !== undefined ||
        !file.originals.some((path) => this.#paths.has(path));
      if (isKnown) decided.add(key);
      else if (file.sizeBytes > 0) unseen.push(file);
      else this.#hasEmpty = true;
    }
    this.#decided = decided;
    return unseen;
  }

  #knownPaths(): ReadonlySet<string> {
    const paths = new Set<string>();
    for (const names of this.#names()) for (const path of namesOf(names)) paths.add(path);
    return paths;
  }

  /** Every scan needs the names. The checkpoints are made only when there is an unseen file. */
  *#names(): Iterable<FileNames> {
    const { streams, dormant, forgotten } = this.#files;
    for (const { home, lineage, place } of streams.values()) yield { home, lineage, ...place };
    for (const { checkpoint } of dormant.values()) yield checkpoint;
    yield* forgotten;
  }

  #accounted(): AccountedStream[] {
    const { streams, dormant, forgotten } = this.#files;
    return [
      ...Array.from(streams.values(), accountedStream),
      ...Array.from(dormant.values(), ({ checkpoint }) => ({ checkpoint })),
      ...forgotten.map((checkpoint) => ({ checkpoint })),
    ];
  }
}

export interface UnseenGenerationsParts extends UnseenFileParts {
  readonly files: FollowedFiles;
  readonly patterns: PathPatterns;
  readonly clock: Clock;
  readonly events: TailEvents;
  readonly starter: StreamStarter;
}

interface UnchangedFile {
  readonly file: RotatedFile;
  /** Monotonic. */
  readonly sinceMs: number;
}

function accountedStream(stream: FileStream): AccountedStream {
  const checkpoint = stream.checkpoint();
  const { read } = stream.content.marks;
  const marks = [...checkpoint.marks.filter(([position]) => position < read[0]), read];
  if (!stream.isEnded) return { checkpoint: { ...checkpoint, marks }, file: stream.file };
  return { checkpoint: { ...checkpoint, marks, finished: true, lostBytes: stream.lostBytes } };
}

function identityOf(file: RotatedFile): string {
  return `${fileKey(file)}:${file.birthNs}`;
}

function isUnchanged(a: RotatedFile, b: RotatedFile): boolean {
  return a.sizeBytes === b.sizeBytes && a.modifiedUnixMs === b.modifiedUnixMs;
}

function compareByBirth(a: RotatedFile, b: RotatedFile): number {
  return Number(BigInt(a.birthNs) - BigInt(b.birthNs));
}

/** A program that compresses a file keeps the time of its last write. */
function hasTimeOfWrite({ modifiedUnixMs }: RotatedFile, known: readonly AccountedStream[]): boolean {
  const seconds = Math.floor(modifiedUnixMs / 1000);
  return known.some(
    ({ checkpoint }) =>
      checkpoint.modifiedUnixMs !== undefined && Math.floor(checkpoint.modifiedUnixMs / 1000) === seconds,
  );
}
