import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkOf } from '../../../records/check.ts';
import { mintStreamId, type StreamId } from '../../../records/stream-id.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Checkpoints } from '../../checkpoints.ts';
import type { TailEvents } from './events.ts';
import { FileAccess, isFileError } from './file-access.ts';
import type { FileCheckpoint, PositionMark } from './file-checkpoint.ts';
import { readCheck } from './file-identity.ts';
import type { FileStream } from './file-stream.ts';
import { type FoundFile, type FoundFiles, findFiles } from './find-files.ts';
import { type FileCopy, type FollowedFiles, fileKey } from './followed-files.ts';
import { groupBy } from './group-by.ts';
import {
  EVIDENCE,
  type Evidence,
  findDamaged,
  findOriginal,
  findSame,
  findTruncatedOriginal,
  isCopyOf,
  type Newcomer,
  newcomerOf,
  type SameAs,
} from './identify.ts';
import type { Lineages } from './lineages.ts';
import type { OpenFiles } from './open-files.ts';
import type { PathPatterns } from './path-patterns.ts';
import { compareByAge, rotatedFrom } from './rotation-names.ts';
import type { TailEntry } from './tail-configuration.ts';

/** Why a file that was found is not read (for now). */
export type UnreadReason =
  | { readonly kind: 'empty' }
  | { readonly kind: 'older'; readonly modifiedUnixMs: number }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'duplicate'; readonly of: string }
  | { readonly kind: 'copy'; readonly of: StreamId };

/** What a stream is made from. */
export interface NewStream {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
  readonly file: FileAccess;
  readonly entry: TailEntry;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
}

export interface StreamFactory {
  create(parts: NewStream): FileStream;
}

interface OpenNewcomer {
  readonly found: FoundFile;
  readonly file: FileAccess;
}

export interface ReconcilerParts {
  readonly patterns: PathPatterns;
  readonly files: FollowedFiles;
  readonly lineages: Lineages;
  readonly openFiles: OpenFiles;
  readonly checkpoints: Checkpoints<FileCheckpoint>;
  readonly streams: StreamFactory;
  readonly clock: Clock;
  readonly events: TailEvents;
}

/**
 * Looks at the files that are there and decides what each of them is. All decisions about identity fall here, one look
 * after the other, while streams are read as before.
 *
 *   1. Streams whose files are where they were, or under another name: wake those whose files have changed, after a
 *      look whether they still hold what was read. Those that do not are *lost*.
 *   2. At the start: streams whose files have left the patterns in the meantime are looked for beside their old place.
 *   3. Newcomers: each may be where a lost, deleted or dormant stream goes on; if not, a copy; if not, a new stream.
 *      All are asked one question before any is asked the next, so that the true heir of a stream is found before its
 *      copy, or another file is taken for a damaged one.
 *   4. What is lost still is over.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #files: FollowedFiles;
  readonly #lineages: Lineages;
  readonly #events: TailEvents;
  #unread = new Map<string, UnreadReason>();
  #unreadable = new Set<string>();
  #isFirst = true;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#files = parts.files;
    this.#lineages = parts.lineages;
    this.#events = parts.events;
  }

  get unread(): ReadonlyMap<string, UnreadReason> {
    return this.#unread;
  }

  async look(): Promise<FoundFiles> {
    const found = await findFiles(this.#parts.patterns);
    const byFile = groupBy(found.files, fileKey);
    this.#unread = new Map();
    await this.#lookAtFollowed(byFile, found.blind);
    if (this.#isFirst) await this.#findBesideTheirPlaces(byFile);
    await this.#takeNewcomers(this.#newcomersAmong(byFile));
    this.#endLost();
    this.#isFirst = false;
    return found;
  }

  async #lookAtFollowed(
    byFile: ReadonlyMap<string, readonly FoundFile[]>,
    blind: ReadonlySet<string>,
  ): Promise<void> {
    for (const stream of this.#files.attached()) {
      const found = byFile.get(fileKey(stream.place));
      if (found !== undefined) await this.#lookAtFound(stream, found);
      else if (!blind.has(dirname(stream.path))) await this.#lookAtUnfound(stream);
    }
  }

  async #lookAtFound(stream: FileStream, found: readonly FoundFile[]): Promise<void> {
    const here = found.find(({ path }) => path === stream.path) ?? found[0];
    if (here === undefined) return;
    stream.movedAway = false;
    stream.file.onlyHandle = false;
    if (here.path !== stream.path) {
      const from = stream.path;
      stream.movedTo(here.path);
      this.#events.renamed({ stream: stream.id, path: here.path, from });
    }
    if (here.sizeBytes === stream.sizeBytes && here.modifiedUnixMs === stream.modifiedUnixMs) {
      if (stream.file.failure !== undefined || stream.position < stream.sizeBytes) stream.wake();
      return;
    }
    stream.modifiedUnixMs = here.modifiedUnixMs;
    if ((await stream.holds()) === false) {
      this.#lose(stream);
      return;
    }
    stream.saw(here.sizeBytes);
    stream.wake();
  }

  /** Not where the patterns look: deleted, or under a name that is not to be read. */
  async #lookAtUnfound(stream: FileStream): Promise<void> {
    const state = await stream.state();
    if (state === undefined) {
      if (stream.file.failure === 'gone') this.#lose(stream);
      return;
    }
    stream.file.onlyHandle = true;
    if (state.unlinked && stream.unlinkedSinceMs === undefined) {
      stream.unlinkedSinceMs = this.#parts.clock.monotonicMs();
      this.#events.unlinked({ stream: stream.id, path: stream.path });
    } else if (!state.unlinked && !stream.movedAway) {
      stream.movedAway = true;
      this.#events.movedAway({ stream: stream.id, path: stream.path });
    }
    if (state.sizeBytes === stream.sizeBytes) return;
    if ((await stream.holds()) === false) {
      this.#lose(stream);
      return;
    }
    stream.saw(state.sizeBytes);
    stream.wake();
  }

  #lose(stream: FileStream): void {
    this.#events.truncated({ stream: stream.id, path: stream.path, position: stream.position });
    this.#files.lose(stream);
  }

  /** While the collector was not running, a file may have been renamed to what no pattern matches. */
  async #findBesideTheirPlaces(byFile: ReadonlyMap<string, readonly FoundFile[]>): Promise<void> {
    for (const [directory, dormant] of this.#files.dormant.byDirectory()) {
      const wanted = dormant.filter(
        ({ checkpoint }) => checkpoint.copyOf === null && !byFile.has(fileKey(checkpoint)),
      );
      if (wanted.length === 0) continue;
      const names = await inodesIn(directory);
      for (const { id, checkpoint } of wanted) {
        const path = names.get(checkpoint.inode);
        const entry = this.#parts.patterns.entryFor(checkpoint.home);
        if (path === undefined || entry === undefined || this.#parts.patterns.entryFor(path)) continue;
        await this.#followBeside({ id, checkpoint }, path, entry);
      }
    }
  }

  async #followBeside(
    { id, checkpoint }: { id: StreamId; checkpoint: FileCheckpoint },
    path: string,
    entry: TailEntry,
  ): Promise<void> {
    const { device, inode } = checkpoint;
    const file = new FileAccess({ path, device, inode }, this.#parts.openFiles);
    const isSame = await file.use(async (handle) => {
      const newcomer = await newcomerOf(handle, file);
      const same = await findSame(newcomer, this.#files, 'inode');
      return same?.kind === 'dormant' && same.dormant.id === id ? newcomer.sizeBytes : undefined;
    });
    if (isSame === undefined) {
      await file.close();
      return;
    }
    const stream = this.#wakeDormant({ id, checkpoint }, file, { entry, sizeBytes: isSame, modifiedUnixMs: 0 });
    stream.movedAway = true;
    file.onlyHandle = true;
  }

  /** One of each file that no stream reads; in the order in which they are to be sent. */
  #newcomersAmong(byFile: ReadonlyMap<string, readonly FoundFile[]>): FoundFile[] {
    const newcomers: FoundFile[] = [];
    for (const found of byFile.values()) {
      const stream = found[0] && this.#files.streamOf(found[0]);
      // A name of the file itself goes before a link to it.
      const chosen =
        found.find(({ path }) => path === stream?.path) ??
        found.find(({ target }) => target === undefined) ??
        found[0];
      if (chosen === undefined) continue;
      for (const { path } of found) {
        if (path !== chosen.path) this.#unread.set(path, { kind: 'duplicate', of: chosen.path });
      }
      if (stream === undefined) newcomers.push(chosen);
    }
    return newcomers.sort((a, b) => compareByAge(a.path, b.path));
  }

  async #takeNewcomers(found: readonly FoundFile[]): Promise<void> {
    let newcomers = await this.#openable(found);
    for (const evidence of EVIDENCE) {
      if (!this.#files.isAnyoneMissing()) break;
      const strangers: OpenNewcomer[] = [];
      for (const newcomer of newcomers) {
        if (!(await this.#takeIfSame(newcomer, evidence))) strangers.push(newcomer);
      }
      newcomers = strangers;
    }
    for (const { found: stranger, file } of newcomers) {
      const kept = await file.use(async (handle) =>
        this.#takeStranger(await newcomerOf(handle, file), stranger, file),
      );
      if (kept !== true) await file.close();
    }
  }

  /** Those that can be read, have bytes, and are not known to be copies or too old. */
  async #openable(newcomers: readonly FoundFile[]): Promise<OpenNewcomer[]> {
    const openable: OpenNewcomer[] = [];
    for (const found of newcomers) {
      if (this.#isUnchangedCopy(found) || this.#isTooOld(found)) continue;
      const file = new FileAccess(found, this.#parts.openFiles);
      const state = await file.state();
      if (state === undefined) this.#noteUnreadable(found, file);
      else if (state.sizeBytes > 0) openable.push({ found, file });
      else {
        this.#unread.set(found.path, { kind: 'empty' });
        await file.close();
      }
      if (state !== undefined) this.#unreadable.delete(found.path);
    }
    return openable;
  }

  #isUnchangedCopy(found: FoundFile): boolean {
    const copy = this.#files.copies.get(fileKey(found));
    if (copy === undefined) return false;
    const isUnchanged = copy.sizeBytes === found.sizeBytes && copy.modifiedUnixMs === found.modifiedUnixMs;
    const originalIsLost = [...this.#files.lost].some(({ id }) => id === copy.of);
    if (isUnchanged && !originalIsLost) this.#unread.set(found.path, { kind: 'copy', of: copy.of });
    return isUnchanged && !originalIsLost;
  }

  #isTooOld(found: FoundFile): boolean {
    const { ignoreOlderMs } = found.entry;
    if (ignoreOlderMs === undefined) return false;
    const nowMs = Number(this.#parts.clock.nowUnixNano() / 1_000_000n);
    if (nowMs - found.modifiedUnixMs <= ignoreOlderMs) return false;
    const mayBeKnown =
      this.#files.lost.size > 0 ||
      this.#files.dormant.at(found.path).length > 0 ||
      this.#files.dormant.withInode(found.inode).length > 0;
    if (!mayBeKnown) this.#unread.set(found.path, { kind: 'older', modifiedUnixMs: found.modifiedUnixMs });
    return !mayBeKnown;
  }

  #noteUnreadable(found: FoundFile, file: FileAccess): void {
    if (file.failure !== 'unreadable') return;
    this.#unread.set(found.path, { kind: 'unreadable' });
    if (this.#unreadable.has(found.path)) return;
    this.#unreadable.add(found.path);
    this.#events.unreadable({ path: found.path });
  }

  /** True when a stream goes on in the file. */
  async #takeIfSame({ found, file }: OpenNewcomer, evidence: Evidence): Promise<boolean> {
    const taken = await file.use(async (handle) => {
      const newcomer = await newcomerOf(handle, file);
      const same = await findSame(newcomer, this.#files, evidence);
      if (same === undefined) return false;
      this.#goOnIn(same, newcomer, found, file);
      return true;
    });
    return taken === true;
  }

  #goOnIn(same: SameAs, newcomer: Newcomer, found: FoundFile, file: FileAccess): void {
    const { entry, modifiedUnixMs } = found;
    if (same.kind === 'stream') {
      this.#forgetCopy(found, same.stream.id);
      this.#files.detach(same.stream);
      same.stream.attach(file, newcomer.sizeBytes);
      same.stream.modifiedUnixMs = modifiedUnixMs;
      this.#files.follow(same.stream);
      this.#events.replaced({ stream: same.stream.id, path: found.path });
      return;
    }
    const { id, checkpoint } = same.dormant;
    const mark = checkpoint.marks.at(-1);
    if (checkpoint.copyOf !== null && mark?.[0] === newcomer.sizeBytes) {
      this.#files.dormant.delete(id);
      this.#addCopy({ id, of: checkpoint.copyOf, newcomer, found, file, mark });
      return;
    }
    this.#forgetCopy(found, id);
    this.#wakeDormant(same.dormant, file, { entry, sizeBytes: newcomer.sizeBytes, modifiedUnixMs });
  }

  /** The copy has become the file itself. */
  #forgetCopy(found: FoundFile, of: StreamId): void {
    const copy = this.#files.copies.get(fileKey(found));
    if (copy !== undefined) {
      this.#files.copies.delete(fileKey(found));
      this.#parts.checkpoints.remove(copy.id);
      void copy.file.close();
    }
    for (const { id, checkpoint } of this.#files.dormant.withInode(found.inode)) {
      if (checkpoint.copyOf !== of) continue;
      this.#files.dormant.delete(id);
      this.#parts.checkpoints.remove(id);
    }
  }

  #wakeDormant(
    { id, checkpoint }: { readonly id: StreamId; readonly checkpoint: FileCheckpoint },
    file: FileAccess,
    options: { readonly entry: TailEntry; readonly sizeBytes: number; readonly modifiedUnixMs: number },
  ): FileStream {
    this.#files.dormant.delete(id);
    const stream = this.#parts.streams.create({ id, checkpoint, file, ...options });
    this.#begin(stream);
    this.#events.resumed({ stream: id, path: file.place.path, position: stream.accepted });
    return stream;
  }

  /** True when the open file is kept: for a new stream, or as a copy. */
  async #takeStranger(newcomer: Newcomer, found: FoundFile, file: FileAccess): Promise<boolean> {
    const known = this.#files.copies.get(fileKey(found));
    if (known !== undefined) return this.#lookAtCopy(known, newcomer, found, file);
    const original =
      (await findOriginal(newcomer, this.#files)) ?? (await findTruncatedOriginal(newcomer, this.#files));
    if (original !== undefined) {
      const check = await readCheck(newcomer.handle, newcomer.sizeBytes);
      if (check === undefined) return false;
      const mark: PositionMark = [newcomer.sizeBytes, check];
      this.#addCopy({ id: mintStreamId(), of: original.id, newcomer, found, file, mark });
      this.#events.copyFound({ path: found.path, of: original.path });
      return true;
    }
    const damaged = this.#isFirst ? await findDamaged(newcomer, this.#files) : undefined;
    if (damaged === undefined) await this.#beginNew(newcomer, found, file);
    else this.#recover(damaged.dormant, damaged.mark, { newcomer, found, file });
    return true;
  }

  /** A copy has changed: it grows towards its original, or has become a file of its own. */
  async #lookAtCopy(copy: FileCopy, newcomer: Newcomer, found: FoundFile, file: FileAccess): Promise<boolean> {
    const original = this.#files.streams.get(copy.of);
    const isAlive = original !== undefined && this.#files.isAttached(original);
    const check = await readCheck(newcomer.handle, newcomer.sizeBytes);
    if (isAlive && check !== undefined && (await isCopyOf(newcomer, original))) {
      this.#addCopy({ id: copy.id, of: copy.of, newcomer, found, file, mark: [newcomer.sizeBytes, check] });
      return true;
    }
    this.#files.copies.delete(fileKey(found));
    const [position, checkThere] = copy.checkpoint.marks[0] ?? [0, undefined];
    const goesOn = !isAlive && (await readCheck(newcomer.handle, position)) === checkThere;
    if (!goesOn) {
      this.#parts.checkpoints.remove(copy.id);
      await this.#beginNew(newcomer, found, file);
      return true;
    }
    // The original is gone, so what was copied has been read there; what was added since is this file's own.
    const { entry, sizeBytes, modifiedUnixMs } = found;
    const checkpoint = { ...copy.checkpoint, copyOf: null, start: position };
    this.#begin(this.#parts.streams.create({ id: copy.id, checkpoint, file, entry, sizeBytes, modifiedUnixMs }));
    return true;
  }

  #addCopy(copy: {
    readonly id: StreamId;
    readonly of: StreamId;
    readonly newcomer: Newcomer;
    readonly found: FoundFile;
    readonly file: FileAccess;
    readonly mark: PositionMark;
  }): void {
    const { id, of, newcomer, found, file, mark } = copy;
    const checkpoint = this.#checkpointOf(newcomer, { lineage: found.path, mark, copyOf: of });
    const { modifiedUnixMs } = found;
    void this.#files.copies.get(fileKey(found))?.file.close();
    this.#files.copies.set(fileKey(found), {
      id,
      of,
      checkpoint,
      file,
      sizeBytes: newcomer.sizeBytes,
      modifiedUnixMs,
    });
    this.#unread.set(found.path, { kind: 'copy', of });
    this.#parts.checkpoints.change(id, () => checkpoint);
  }

  #recover(
    damaged: { readonly id: StreamId; readonly checkpoint: FileCheckpoint },
    mark: PositionMark,
    { newcomer, found, file }: { newcomer: Newcomer; found: FoundFile; file: FileAccess },
  ): void {
    const id = mintStreamId();
    this.#files.dormant.delete(damaged.id);
    this.#parts.checkpoints.remove(damaged.id);
    const { lineage } = damaged.checkpoint;
    const checkpoint = this.#checkpointOf(newcomer, { lineage, mark, copyOf: null });
    const { entry, sizeBytes, modifiedUnixMs } = found;
    this.#begin(this.#parts.streams.create({ id, checkpoint, file, entry, sizeBytes, modifiedUnixMs }));
    const [was = 0] = damaged.checkpoint.marks.at(-1) ?? [];
    const [position] = mark;
    this.#events.recovered({ stream: id, path: found.path, replaced: damaged.id, position, was });
  }

  async #beginNew(newcomer: Newcomer, found: FoundFile, file: FileAccess): Promise<void> {
    const base = rotatedFrom(found.path) ?? found.path;
    const before = this.#lineages.last(base);
    const isOlderThanOpen = base !== found.path && before !== undefined && !before.displaced && before.home === base;
    const lineage = isOlderThanOpen ? found.path : base;
    const mark = await this.#firstMark(newcomer, found, before);
    const checkpoint = this.#checkpointOf(newcomer, { lineage, mark, copyOf: null });
    const { entry, sizeBytes, modifiedUnixMs } = found;
    const id = mintStreamId();
    this.#begin(this.#parts.streams.create({ id, checkpoint, file, entry, sizeBytes, modifiedUnixMs }));
    this.#events.began({ stream: id, path: found.path, position: mark[0] });
  }

  /** Where a new stream begins: `start_at: end` concerns files that were there, unknown, at the start. */
  async #firstMark(newcomer: Newcomer, found: FoundFile, before: FileStream | undefined): Promise<PositionMark> {
    const atEnd = this.#isFirst && found.entry.startAt === 'end' && before === undefined;
    const check = atEnd ? await readCheck(newcomer.handle, newcomer.sizeBytes) : undefined;
    return check === undefined ? [0, checkOf(Buffer.alloc(0))] : [newcomer.sizeBytes, check];
  }

  #checkpointOf(
    newcomer: Newcomer,
    options: {
      readonly lineage: string;
      readonly mark: PositionMark;
      readonly copyOf: StreamId | null;
    },
  ): FileCheckpoint {
    const { path, device, inode, head } = newcomer;
    const { lineage, mark, copyOf } = options;
    return {
      ...{ path, home: path, lineage, device, inode },
      prefix: head.prefix(),
      start: mark[0],
      marks: [mark],
      yielded: false,
      copyOf,
      absentMs: 0,
    };
  }

  #begin(stream: FileStream): void {
    this.#files.follow(stream);
    if (!stream.yielded) this.#lineages.add(stream);
    this.#parts.checkpoints.change(stream.id, () => stream.checkpoint());
  }

  /** Nothing that is there has their bytes: what was not read of them is gone. */
  #endLost(): void {
    for (const stream of this.#files.lost) {
      this.#files.lost.delete(stream);
      const lostBytes = Math.max(0, stream.sizeBytes - stream.position);
      const { id, path, position } = stream;
      if (lostBytes > 0) this.#events.lost({ stream: id, path, position, lostBytes });
      stream.end();
    }
  }
}

async function inodesIn(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  try {
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      const state = await stat(path, { bigint: true }).catch(() => undefined);
      if (state?.isFile()) found.set(String(state.ino), path);
    }
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
  return found;
}
