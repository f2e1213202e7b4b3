import { basename, dirname } from 'node:path';
import type { Checkpoints } from '../../../checkpoints.ts';
import { type ArchiveContent, measureArchive, readArchiveBeginning } from '../files/archive-content.ts';
import { compressionOf } from '../files/compression-magic.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import type { FoundFiles } from '../files/find-files.ts';
import { canInflate, RENAMED } from '../files/inflate-file.ts';
import { isCompressed } from '../files/path-patterns.ts';
import type { UnreadFiles } from '../identity/unread-files.ts';
import { ArchiveAttempts } from './archive-attempts.ts';
import { accountsFor, beginsWithRead, endOfRead, type KnownStream } from './archive-evidence.ts';
import { type ArchiveFile, findArchives } from './archive-files.ts';
import type { ArchiveLedger } from './archive-ledger.ts';
import { ArchiveStreams, type ArchiveStreamsParts, type ContinuingStream } from './archive-streams.ts';
import { type FileNames, namesOf } from './rotated-files.ts';

/** The time to inflate archives in one scan: followed files must not wait for them. */
const MAX_MS = 5_000;
const MAX_RENAMES = 3;

/**
 * Rotated files that were compressed. Identity and positions are those of the inflated bytes:
 *
 *   - A stream continues in an archive if the content has all bytes that were read of its file. Only the unread rest is
 *     sent.
 *   - An archive of which no stream has the content is read from its beginning, if it was written after the last scan,
 *     or if the entry asks for all archives.
 *
 * An archive that cannot be inflated may not be complete yet: it is tried again when it has changed.
 */
export class CompressedGenerations {
  readonly #parts: CompressedGenerationsParts;
  readonly #streams: ArchiveStreams;
  readonly #attempts = new ArchiveAttempts();
  readonly #sinceUnixMs: number;
  /** The inodes of the archives in the last listing, and of those that are read or reported here. */
  #listed: ReadonlySet<string> = new Set();
  #handled = new Set<string>();
  /** The archives about which the next scan decides. */
  #postponed: ArchiveFile[] = [];
  /** Monotonic. Archives that are not inflated until then are postponed. */
  #untilMs = 0;

  constructor(parts: CompressedGenerationsParts) {
    this.#parts = parts;
    this.#streams = new ArchiveStreams(parts);
    this.#sinceUnixMs = parts.sinceUnixMs ?? this.#nowUnixMs;
  }

  /** Whether the archive is read, was read, or is decided about in a later scan. */
  isHandled({ path, inode }: { readonly path: string; readonly inode: string }): boolean {
    return this.#handled.has(inode) || (canInflate(path) && !this.#listed.has(inode));
  }

  /** Whether the bytes of this stream may be in an archive that is not complete yet. */
  mayHold(names: FileNames): boolean {
    const all = namesOf(names);
    return this.#undecided().some((archive) => isNamed(archive, all));
  }

  /** The time of the oldest write to an archive about which is not decided yet. */
  get undecidedSinceUnixMs(): number | undefined {
    const times = this.#undecided().map(({ modifiedUnixMs }) => modifiedUnixMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #undecided(): readonly ArchiveFile[] {
    return [...this.#attempts.failing(), ...this.#postponed];
  }

  async follow(found: FoundFiles): Promise<void> {
    const { patterns, ledger } = this.#parts;
    const paths = this.#knownPaths();
    const names = new Set([...paths, ...[...paths].map((path) => basename(path))]);
    const directories = new Set([...paths].map((path) => dirname(path)));
    const archives = await findArchives(patterns, { directories, found: found.archives });
    this.#listed = new Set(archives.map(({ inode }) => inode));
    this.#handled = new Set();
    this.#postponed = [];
    this.#untilMs = this.#parts.isOnce ? Number.POSITIVE_INFINITY : this.#nowMs + MAX_MS;
    for (const archive of archives) await this.#followOne(archive, names);
    ledger.keep(archives);
    this.#attempts.keep(archives);
  }

  async #followOne(archive: ArchiveFile, names: ReadonlySet<string>): Promise<void> {
    const isDecided = this.#isDecided(archive);
    if (isDecided) this.#handled.add(archive.inode);
    if (archive.sizeBytes === 0 || this.#isBeingRead(archive)) return;
    const continuing = this.#mayContinue(archive, isDecided);
    const isWanted = !isDecided && this.#isWanted(archive, names);
    if (continuing.length === 0 && !isWanted) return;
    const streams = continuing.map(({ id }) => id).join();
    const next = this.#attempts.next(archive, streams, this.#nowMs);
    if (isWanted || this.#attempts.problemOf(archive) !== undefined) this.#handled.add(archive.inode);
    if (next === 'read' && this.#nowMs > this.#untilMs) this.#postpone(archive);
    else if (next === 'read') await this.#read(archive, { continuing, streams, isWanted });
    else if (next === 'warn') this.#warn(archive);
    else if (next === 'count as unread') this.#countAsUnread(archive, isWanted);
  }

  #postpone(archive: ArchiveFile): void {
    this.#handled.add(archive.inode);
    this.#postponed.push(archive);
  }

  /** A rotation may rename it in the meantime. */
  async #read(archive: ArchiveFile, context: AttemptContext): Promise<void> {
    for (let renamed = archive, tries = 0; tries < MAX_RENAMES; tries++) {
      if (await this.#readAt(renamed, context)) return;
      const paths = await this.#parts.openFiles.directories.list(dirname(archive.path));
      renamed = { ...archive, path: paths.get(archive.inode) ?? archive.path };
    }
    this.#postpone(archive);
  }

  /** False when another file is at its path. */
  async #readAt(archive: ArchiveFile, context: AttemptContext): Promise<boolean> {
    const { path } = archive;
    const { room } = this.#parts;
    const { streams, isWanted } = context;
    const beginning = await readArchiveBeginning(path, archive.inode);
    const continuing = context.continuing.filter(({ checkpoint: { prefix } }) => beginning.matches(prefix));
    const known = this.#known().filter(({ checkpoint: { prefix } }) => beginning.matches(prefix));
    if (continuing.length === 0 && !isWanted && beginning.length > 0) {
      this.#attempts.note(archive, { streams }, this.#nowMs);
      return true;
    }
    const positions = known.map(({ checkpoint }) => endOfRead(checkpoint));
    const content = await measureArchive(path, {
      ...{ maxBytes: room.maxBytes, inode: archive.inode, positions },
    });
    if (content === RENAMED) return false;
    if (typeof content === 'string') this.#failed(archive, content, context);
    else await this.#decide(archive, content, { ...context, continuing, known });
    return true;
  }

  #failed(archive: ArchiveFile, problem: string, { streams, isWanted }: AttemptContext): void {
    this.#handled.add(archive.inode);
    this.#attempts.note(archive, { streams, problem }, this.#nowMs);
    if (!this.#parts.isOnce) return;
    this.#warn(archive);
    this.#countAsUnread(archive, isWanted);
  }

  async #decide(
    archive: ArchiveFile,
    content: ArchiveContent,
    { continuing, known, streams, isWanted }: AttemptContext & { readonly known: readonly KnownStream[] },
  ): Promise<void> {
    for (const stream of known)
      if (await accountsFor(content, stream)) return this.#accounted(archive, stream, continuing);
    const resumable = continuing
      .filter(({ checkpoint }) => content.sizeBytes > endOfRead(checkpoint))
      .filter(({ checkpoint }) => beginsWithRead(content, checkpoint))
      .sort((a, b) => endOfRead(b.checkpoint) - endOfRead(a.checkpoint));
    for (const stream of resumable) {
      if (!this.#streams.resume(stream, archive, content)) continue;
      return this.#decided(archive, { stream: stream.id });
    }
    if (!isWanted) return this.#attempts.note(archive, { streams }, this.#nowMs);
    const { written } = archive;
    const problem = problemOf(content);
    if (problem !== undefined || written === undefined) {
      this.#decided(archive, { problem: problem ?? 'no entry reads it' });
      return;
    }
    const stream = this.#streams.start(archive, content, {
      ...written,
      lineage: this.#lineageOf(written.home),
    });
    this.#decided(archive, { stream });
  }

  /** All of its content was read, or is read from another file. */
  #accounted(
    archive: ArchiveFile,
    { id, checkpoint }: KnownStream,
    continuing: readonly ContinuingStream[],
  ): void {
    const same = continuing.find((stream) => stream.id === id);
    if (same?.kind === 'dormant' && checkpoint.finished !== true) {
      const finished = { ...checkpoint, finished: true as const, lostBytes: 0 };
      same.dormant.update(finished);
      this.#parts.checkpoints.change(id, () => finished);
    }
    this.#decided(archive, { stream: id });
  }

  #decided(archive: ArchiveFile, outcome: Parameters<ArchiveLedger['set']>[1]): void {
    this.#attempts.delete(archive);
    this.#handled.add(archive.inode);
    this.#parts.ledger.set(archive, outcome);
  }

  #isDecided(archive: ArchiveFile): boolean {
    const { ledger, files, unread } = this.#parts;
    const decision = ledger.get(archive);
    if (decision === undefined) return false;
    if (decision.stream === undefined) {
      unread.note(archive.path, { kind: 'archive', reason: `it is not read: ${decision.problem ?? ''}` });
      return true;
    }
    const dormant = files.dormant.get(decision.stream);
    // The stream is remembered as long as the archive exists.
    if (dormant !== undefined && dormant.checkpoint.absentMs > 0)
      dormant.update({ ...dormant.checkpoint, absentMs: 0 });
    const { finished, lostBytes = 0 } = dormant?.checkpoint ?? {};
    // Bytes that were counted as lost are read when their archive is found.
    const isLost = finished === true && lostBytes > 0;
    const isKnown = (dormant !== undefined && !isLost) || files.streams.has(decision.stream);
    if (isKnown)
      unread.note(archive.path, {
        kind: 'archive',
        reason: 'its content was read, or is read from another file',
      });
    return isKnown;
  }

  /** Also wakes a stream that could not inflate it. */
  #isBeingRead(archive: ArchiveFile): boolean {
    const stream = this.#parts.files.streamOf(archive);
    if (stream === undefined) return false;
    this.#handled.add(archive.inode);
    if (stream.path !== archive.path) stream.file.movedTo(archive.path);
    if (stream.file.failure !== undefined) stream.wake();
    return true;
  }

  /** Streams without a file, of which this may be the file. */
  #mayContinue(archive: ArchiveFile, isDecided: boolean): ContinuingStream[] {
    const { files, ledger } = this.#parts;
    const decision = isDecided ? ledger.get(archive) : undefined;
    if (decision?.problem !== undefined) return [];
    const continuing: ContinuingStream[] = [];
    for (const stream of files.lost) {
      const checkpoint = stream.checkpointOfRead();
      if (isNamed(archive, namesOf(checkpoint)))
        continuing.push({ kind: 'lost', id: stream.id, checkpoint, stream });
    }
    for (const dormant of files.dormant.values()) {
      const { id, checkpoint } = dormant;
      if (checkpoint.copyOf !== null || (checkpoint.finished === true && isDecided)) continue;
      if (isNamed(archive, namesOf(checkpoint)))
        continuing.push({ kind: 'dormant', id, checkpoint, dormant });
    }
    return continuing;
  }

  /** Whether it is read if no stream has its content. */
  #isWanted({ path, names, written, modifiedUnixMs }: ArchiveFile, known: ReadonlySet<string>): boolean {
    if (written === undefined || written.entry.archives === 'none') return false;
    const { ignoreOlderMs } = written.entry;
    if (ignoreOlderMs !== undefined && this.#nowUnixMs - modifiedUnixMs > ignoreOlderMs) return false;
    if (written.entry.archives === 'all') return !/\.tar\.\w+$/i.test(path);
    return (
      modifiedUnixMs > this.#sinceUnixMs && names.some((name) => known.has(name) || known.has(basename(name)))
    );
  }

  #warn(archive: ArchiveFile): void {
    const { path } = archive;
    const reason = this.#attempts.problemOf(archive) ?? '';
    this.#parts.unread.note(path, { kind: 'archive', reason: `it cannot be inflated: ${reason}` });
    this.#parts.events.notInflated({ path, reason });
  }

  #countAsUnread(archive: ArchiveFile, isWanted: boolean): void {
    const reason = this.#attempts.problemOf(archive) ?? '';
    if (isWanted) this.#parts.events.archiveUnread({ path: archive.path });
    this.#decided(archive, { problem: `it cannot be inflated: ${reason}` });
  }

  #known(): KnownStream[] {
    const { dormant, streams, lost } = this.#parts.files;
    return [
      ...Array.from(dormant.values(), ({ id, checkpoint }) => ({ id, checkpoint })).filter(
        ({ checkpoint }) => checkpoint.copyOf === null,
      ),
      ...Array.from(streams.values(), (stream) => {
        const hasFile = !lost.has(stream) && !stream.isEnded && !isCompressed(stream.path);
        return {
          id: stream.id,
          checkpoint: stream.checkpointOfRead(),
          file: hasFile ? stream.file : undefined,
        };
      }),
    ];
  }

  /** Every path that the file of a stream has or had. */
  #knownPaths(): ReadonlySet<string> {
    const { dormant, streams } = this.#parts.files;
    const names = new Set<string>();
    for (const { checkpoint } of dormant.values()) for (const name of namesOf(checkpoint)) names.add(name);
    for (const { home, lineage, place } of streams.values())
      for (const name of namesOf({ home, lineage, ...place })) names.add(name);
    return names;
  }

  #lineageOf(home: string): string {
    return this.#known().find(({ checkpoint }) => namesOf(checkpoint).has(home))?.checkpoint.lineage ?? home;
  }

  get #nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }

  get #nowUnixMs(): number {
    return Number(this.#parts.clock.nowUnixNano() / 1_000_000n);
  }
}

export interface CompressedGenerationsParts extends ArchiveStreamsParts {
  readonly ledger: ArchiveLedger;
  readonly checkpoints: Checkpoints<FileCheckpoint>;
  readonly unread: UnreadFiles;
  /** When an earlier run scanned last; undefined when that is not known. */
  readonly sinceUnixMs: number | undefined;
  /** There is no later scan. */
  readonly isOnce: boolean;
}

interface AttemptContext {
  readonly continuing: readonly ContinuingStream[];
  /** The identifiers of those streams. */
  readonly streams: string;
  readonly isWanted: boolean;
}

/** In a directory that a rotation moves files to, the names are the same. */
function isNamed({ names, written }: ArchiveFile, known: ReadonlySet<string>): boolean {
  if (names.some((name) => known.has(name))) return true;
  if (written === undefined) return false;
  const knownNames = new Set([...known].map((name) => basename(name)));
  return names.some((name) => knownNames.has(basename(name)));
}

function problemOf({ beginning, sizeBytes }: ArchiveContent): string | undefined {
  if (sizeBytes === 0) return 'its content is empty';
  return typeof compressionOf(beginning.bytes) === 'object' ? 'its content is compressed' : undefined;
}
