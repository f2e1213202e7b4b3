import { extname } from 'node:path';
import { checkOf } from '../../../records/check.ts';
import { mintStreamId, type StreamId } from '../../../records/stream-id.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Checkpoints } from '../../checkpoints.ts';
import { compressionOf, MAGIC_BYTES } from './compression-magic.ts';
import { Copies } from './copies.ts';
import type { TailEvents } from './events.ts';
import { FileAccess } from './file-access.ts';
import { checkpointOf, type FileCheckpoint, type PositionMark } from './file-checkpoint.ts';
import { readBytes, readCheck } from './file-identity.ts';
import type { FileStream } from './file-stream.ts';
import type { FoundFile } from './find-files.ts';
import type { DormantStream, FollowedFiles } from './followed-files.ts';
import {
  EVIDENCE,
  type Evidence,
  findDamaged,
  findJustTruncated,
  findOriginal,
  findSame,
  findTruncatedOriginal,
  type Newcomer,
  newcomerOf,
  type OpenNewcomer,
  type SameAs,
} from './identify.ts';
import type { Lineages } from './lineages.ts';
import type { OpenFiles } from './open-files.ts';
import { rotatedFrom } from './rotation-names.ts';
import type { TailEntry } from './tail-configuration.ts';
import type { UnreadFiles } from './unread-files.ts';

/** What a stream is made from. */
export interface NewStream {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
  readonly file: FileAccess;
  readonly entry: TailEntry;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
}

export interface NewcomersParts {
  readonly files: FollowedFiles;
  readonly lineages: Lineages;
  readonly openFiles: OpenFiles;
  readonly checkpoints: Checkpoints<FileCheckpoint>;
  readonly createStream: (stream: NewStream) => FileStream;
  readonly unread: UnreadFiles;
  readonly clock: Clock;
  readonly events: TailEvents;
}

/** What else a look knows. */
export interface LookContext {
  /** All paths that were found. */
  readonly present: ReadonlySet<string>;
  /** Since the start. */
  readonly isFirst: boolean;
}

/**
 * Files that no stream reads: each may be where a lost, deleted or dormant stream goes on; if not, a copy; if not, it
 * is a new stream. All are asked one question before any is asked the next, so that the true heir of a stream is found
 * before its copy, or another file is taken for a damaged one.
 */
export class Newcomers {
  readonly #parts: NewcomersParts;
  readonly #files: FollowedFiles;
  readonly #lineages: Lineages;
  readonly #unread: UnreadFiles;
  readonly #events: TailEvents;
  readonly #copies: Copies;
  /** Since the generations were lined up last, in the order in which they were found. */
  #begun: FileStream[] = [];

  constructor(parts: NewcomersParts) {
    this.#parts = parts;
    this.#files = parts.files;
    this.#lineages = parts.lineages;
    this.#unread = parts.unread;
    this.#events = parts.events;
    this.#copies = new Copies(parts.files, parts.checkpoints);
  }

  /** How many streams were begun or woken, and are not lined up yet. */
  get begun(): number {
    return this.#begun.length;
  }

  /** Puts what was begun where its turn is. When nothing is lost any more: until then names may be those of before. */
  lineUp(): void {
    for (const stream of this.#begun) {
      if (!stream.yielded && !stream.ended) this.#lineages.add(stream);
    }
    this.#begun = [];
  }

  async take(candidates: readonly FoundFile[], context: LookContext): Promise<void> {
    let newcomers = await this.#openable(candidates);
    for (const evidence of EVIDENCE) {
      if (!this.#files.isAnyoneMissing()) break;
      const strangers: OpenNewcomer[] = [];
      for (const newcomer of newcomers) {
        if (!(await this.#takeIfSame(newcomer, evidence))) strangers.push(newcomer);
      }
      newcomers = strangers;
    }
    // Files at their own paths first: what stands under a rotated name may be a copy of them.
    const isRotated = ({ found }: OpenNewcomer) => rotatedFrom(found.path) !== undefined;
    const atTheirPaths = newcomers.filter((newcomer) => !isRotated(newcomer));
    for (const newcomer of [...atTheirPaths, ...newcomers.filter(isRotated)]) {
      await this.#takeStranger(newcomer, context);
    }
  }

  /** A dormant stream goes on in this file. */
  wakeDormant({ id, checkpoint }: DormantStream, parts: Omit<NewStream, 'id' | 'checkpoint'>): FileStream {
    this.#files.dormant.delete(id);
    const stream = this.#parts.createStream({ id, checkpoint, ...parts });
    this.#begin(stream);
    this.#events.resumed({ stream: id, path: stream.path, position: stream.accepted });
    return stream;
  }

  /** Those that can be read, have bytes, and are not known to be copies or too old. */
  async #openable(newcomers: readonly FoundFile[]): Promise<OpenNewcomer[]> {
    const openable: OpenNewcomer[] = [];
    for (const found of newcomers) {
      if (this.#isUnchangedCopy(found) || this.#isTooOld(found)) continue;
      const file = new FileAccess(found, this.#parts.openFiles);
      const state = await file.state();
      if (state === undefined && file.failure === 'unreadable') this.#unread.noteUnreadable(found.path);
      if (state === undefined) continue;
      this.#unread.noteReadable(found.path);
      if (state.sizeBytes > 0 && (await this.#isText(found, file))) openable.push({ found, file });
      else {
        if (state.sizeBytes === 0) this.#unread.note(found.path, { kind: 'empty' });
        await file.close();
      }
    }
    return openable;
  }

  /** Compressed data is no text, under whatever name. It is looked at again: the file may be rewritten. */
  async #isText(found: FoundFile, file: FileAccess): Promise<boolean> {
    const head = await file.use((handle) => readBytes(handle, 0, MAGIC_BYTES));
    const compression = head && compressionOf(head);
    if (compression === 'undecided') this.#unread.note(found.path, { kind: 'undecided' });
    else if (compression !== undefined) this.#unread.noteCompressed(found, compression.kind);
    return head !== undefined && compression === undefined;
  }

  #isUnchangedCopy(found: FoundFile): boolean {
    const copy = this.#copies.at(found);
    if (copy === undefined || !this.#copies.isUnchanged(copy, found)) return false;
    this.#unread.note(found.path, { kind: 'copy', of: copy.of });
    return true;
  }

  #isTooOld({ path, inode, entry, modifiedUnixMs }: FoundFile): boolean {
    const nowMs = Number(this.#parts.clock.nowUnixNano() / 1_000_000n);
    if (entry.ignoreOlderMs === undefined || nowMs - modifiedUnixMs <= entry.ignoreOlderMs) return false;
    const { lost, dormant } = this.#files;
    const mayBeKnown = lost.size > 0 || dormant.at(path).length > 0 || dormant.withInode(inode).length > 0;
    if (!mayBeKnown) this.#unread.note(path, { kind: 'older', modifiedUnixMs });
    return !mayBeKnown;
  }

  /** True when a stream goes on in the file. */
  async #takeIfSame({ found, file }: OpenNewcomer, evidence: Evidence): Promise<boolean> {
    const taken = await file.use(async (handle) => {
      const newcomer = await newcomerOf(handle, file);
      const same = await findSame(newcomer, this.#files, evidence);
      if (same === undefined) return false;
      if (same.kind === 'dormant' && same.dormant.checkpoint.copyOf !== null) {
        this.#copies.remember(same.dormant, same.dormant.checkpoint.copyOf, { found, file });
        return false;
      }
      this.#goOnIn(same, newcomer, { found, file });
      return true;
    });
    return taken === true;
  }

  #goOnIn(same: SameAs, { sizeBytes }: Newcomer, { found, file }: OpenNewcomer): void {
    const { entry, modifiedUnixMs, path } = found;
    if (same.kind === 'dormant') {
      this.#copies.forget(found, same.dormant.id);
      this.wakeDormant(same.dormant, { file, entry, sizeBytes, modifiedUnixMs });
      return;
    }
    const { stream } = same;
    this.#copies.forget(found, stream.id);
    this.#files.detach(stream);
    stream.attach(file, { sizeBytes, modifiedUnixMs });
    this.#files.follow(stream);
    this.#events.replaced({ stream: stream.id, path });
  }

  async #takeStranger({ found, file }: OpenNewcomer, context: LookContext): Promise<void> {
    const isKept = await file.use(async (handle) => {
      const newcomer = await newcomerOf(handle, file);
      // Truncated since it was listed. A stream without a byte could not tell the next ones from others.
      if (newcomer.sizeBytes === 0) return false;
      if (await this.#isCopy({ newcomer, found, file })) return true;
      if (await this.#looksForItsStream(newcomer)) return false;
      const damaged = context.isFirst ? await findDamaged(newcomer, this.#files) : undefined;
      if (damaged === undefined) await this.#beginNew(newcomer, { found, file }, context);
      else this.#recover(damaged.dormant, damaged.mark, { newcomer, found, file });
      return true;
    });
    if (isKept !== true) await file.close();
  }

  /** True when it is a copy, or goes on where a copy ended. */
  async #isCopy(stranger: OpenNewcomer & { readonly newcomer: Newcomer }): Promise<boolean> {
    const { newcomer, found, file } = stranger;
    const known = this.#copies.at(found);
    const verdict = known && (await this.#copies.look(known, stranger));
    if (known !== undefined && verdict === 'copy')
      this.#unread.note(found.path, { kind: 'copy', of: known.of });
    if (verdict === 'copy') return true;
    if (known !== undefined && verdict === 'goes-on') {
      const { id, checkpoint } = known;
      const start = checkpoint.marks.at(-1)?.[0] ?? 0;
      const goesOn = { ...checkpoint, copyOf: null, start };
      const { entry, sizeBytes, modifiedUnixMs } = found;
      this.#begin(
        this.#parts.createStream({ id, checkpoint: goesOn, file, entry, sizeBytes, modifiedUnixMs }),
      );
      return true;
    }
    if (known !== undefined) return false;
    const original =
      (await findOriginal(newcomer, this.#files)) ?? (await findTruncatedOriginal(newcomer, this.#files));
    const check = await readCheck(newcomer.handle, newcomer.sizeBytes);
    if (original === undefined || check === undefined) return false;
    this.#copies.add(mintStreamId(), original.id, { ...stranger, mark: [newcomer.sizeBytes, check] });
    this.#unread.note(found.path, { kind: 'copy', of: original.id });
    this.#events.copyFound({ path: found.path, of: original.path });
    return true;
  }

  /** True when it has the bytes of a stream that was losing its file just now: when asked again, it is where that goes on. */
  async #looksForItsStream(newcomer: Newcomer): Promise<boolean> {
    const stream = await findJustTruncated(newcomer, this.#files);
    if (stream === undefined) return false;
    this.#events.truncated({ stream: stream.id, path: stream.path, position: stream.position });
    this.#files.lose(stream);
    return true;
  }

  #recover(
    damaged: DormantStream,
    mark: PositionMark,
    { newcomer, found, file }: OpenNewcomer & { readonly newcomer: Newcomer },
  ): void {
    const id = mintStreamId();
    this.#files.dormant.delete(damaged.id);
    this.#parts.checkpoints.remove(damaged.id);
    const { lineage, marks } = damaged.checkpoint;
    const checkpoint = checkpointOf(newcomer, { lineage, mark, copyOf: null });
    const { entry, sizeBytes, modifiedUnixMs } = found;
    this.#begin(this.#parts.createStream({ id, checkpoint, file, entry, sizeBytes, modifiedUnixMs }));
    const [was = 0] = marks.at(-1) ?? [];
    const [position] = mark;
    this.#events.recovered({ stream: id, path: found.path, replaced: damaged.id, position, was });
  }

  async #beginNew(
    newcomer: Newcomer,
    { found, file }: OpenNewcomer,
    { present, isFirst }: LookContext,
  ): Promise<void> {
    const lineage = this.#lineageOf(found.path, present);
    const atEnd = isFirst && found.entry.startAt === 'end' && !this.#isLineOf(lineage);
    const mark = atEnd ? await endOf(newcomer) : BEGINNING;
    const id = mintStreamId();
    const checkpoint = checkpointOf(newcomer, { lineage, mark, copyOf: null });
    const { entry, sizeBytes, modifiedUnixMs } = found;
    const stream = this.#parts.createStream({ id, checkpoint, file, entry, sizeBytes, modifiedUnixMs });
    this.#begin(stream);
    this.#events.began({ stream: id, path: found.path, position: mark[0] });
  }

  /** The path whose generation it is, by its name: `x.log.2` and `x.log.1` are one line, `worker.2` and `worker.1` two. */
  #lineageOf(path: string, present: ReadonlySet<string>): string {
    const base = rotatedFrom(path);
    if (base === undefined) return path;
    const isKnown = present.has(base) || this.#isLineOf(base) || extname(base) !== '';
    return isKnown ? base : path;
  }

  #isLineOf(lineage: string): boolean {
    if (this.#lineages.last(lineage) !== undefined) return true;
    return this.#begun.some((stream) => stream.lineage === lineage && !stream.yielded);
  }

  #begin(stream: FileStream): void {
    this.#begun.push(stream);
    this.#files.follow(stream);
    this.#parts.checkpoints.change(stream.id, () => stream.checkpoint());
  }
}

const BEGINNING: PositionMark = [0, checkOf(Buffer.alloc(0))];

async function endOf({ handle, sizeBytes }: Newcomer): Promise<PositionMark> {
  const check = await readCheck(handle, sizeBytes);
  return check === undefined ? BEGINNING : [sizeBytes, check];
}
