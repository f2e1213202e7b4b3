import { mintStreamId } from '../../../../records/stream-id.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import { compressionOf, MAGIC_BYTES } from '../files/compression-magic.ts';
import type { TailEvents } from '../files/events.ts';
import { FileAccess } from '../files/file-access.ts';
import { checkpointOf } from '../files/file-checkpoint.ts';
import type { FoundFile } from '../files/find-files.ts';
import type { OpenFiles } from '../files/open-files.ts';
import { readBytes, readCheck } from '../files/read-bytes.ts';
import type { ReadableFile } from '../files/readable-file.ts';
import { rotatedFrom } from '../files/rotation-names.ts';
import type { FileStream } from '../reading/file-stream.ts';
import { Copies } from './copies.ts';
import { findJustTruncated, findOriginal, findTruncatedOriginal } from './find-original.ts';
import { findRecoverable } from './find-recoverable.ts';
import { findByContent, findByInode, type SameAs } from './find-stream-of-file.ts';
import type { FollowedFiles } from './followed-files.ts';
import { candidateOf, type OpenCandidate, type UnreadFile } from './open-candidate.ts';
import { type OpenUnreadFile, StreamStarter, type StreamStarterParts } from './stream-starter.ts';
import { StreamsByName } from './streams-by-name.ts';
import type { UnreadFiles } from './unread-files.ts';

/**
 * Files are matched in portions. After each portion, the streams that need not wait for others are opened.
 */
const FIRST_PORTION = 64;

/**
 * Matches files that no stream reads. For each file it decides, in this order:
 *
 *   1. Is it the file of a missing or dormant stream, by its inode?
 *   2. Does such a stream continue in it, because it has all bytes that were read?
 *   3. Is it a copy made by a rotation?
 *   4. Is it the damaged file of a stream?
 *
 * Otherwise the file starts a new stream. The first two questions are decided for all files before the
 * others, so that a stream's own file is matched before a copy of it.
 *
 * To leave a file out, or to continue a stream in another file, every byte must be equal. Where that cannot
 * be shown, the file is a new stream: bytes may be sent twice, but none is lost.
 *
 * A file is compared only with files to which it may be related by inode or by name, so the number of
 * comparisons grows with the number of files, not with its square.
 */
export class FileMatcher {
  readonly starter: StreamStarter;
  readonly #parts: FileMatcherParts;
  readonly #files: FollowedFiles;
  readonly #unread: UnreadFiles;
  readonly #events: TailEvents;
  readonly #copies: Copies;
  #missing: StreamsByName;
  #attached: StreamsByName;

  constructor(parts: FileMatcherParts) {
    this.#parts = parts;
    this.#files = parts.files;
    this.#unread = parts.unread;
    this.#events = parts.events;
    this.#copies = new Copies(parts.files, parts.checkpoints);
    this.#missing = this.#indexMissing();
    this.#attached = this.#indexAttached();
    this.starter = new StreamStarter({
      ...parts,
      missing: () => this.#missing,
      onStart: (stream) => this.#attached.add(stream),
    });
  }

  /** The number of copies that were found or have changed. */
  get copyChanges(): number {
    return this.#copies.changes;
  }

  async match(found: readonly FoundFile[], context: ScanContext): Promise<void> {
    this.#missing = this.#indexMissing();
    this.#attached = this.#indexAttached();
    const unread = found.filter((file) => !this.#isUnchangedCopy(file) && !this.#isTooOld(file));
    const isLarge = found.length > FIRST_PORTION;
    const candidates = await this.#matchKnown(unread, isLarge);
    for (const portion of portionsOf(candidates)) {
      for (const file of portion) await this.#matchCandidate(file, context);
      if (isLarge) await this.starter.openReady();
    }
  }

  /**
   * Returns the files in which no known stream continues; files at their own paths first, since others may be
   * copies.
   */
  async #matchKnown(found: readonly FoundFile[], isLarge: boolean): Promise<UnreadFile[]> {
    let files = found.map((file) => ({ found: file, file: new FileAccess(file, this.#parts.openFiles) }));
    for (const find of [findByInode, findByContent]) {
      if (this.#files.dormant.size === 0 && this.#files.missing().length === 0) break;
      const others: UnreadFile[] = [];
      for (const portion of portionsOf(files)) {
        for (const file of portion) if (!(await this.#continuesIn(file, find))) others.push(file);
        if (isLarge) await this.starter.openReady();
      }
      files = others;
    }
    const isRotated = (file: UnreadFile) => rotatedFrom(file.found.path) !== undefined;
    return [...files.filter((file) => !isRotated(file)), ...files.filter(isRotated)];
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

  /** True when a stream continues in the file. */
  async #continuesIn({ found, file }: UnreadFile, find: typeof findByInode): Promise<boolean> {
    const isMatched = await file.use(async (handle) => {
      const candidate = await this.#open(handle, { found, file });
      if (candidate.sizeBytes === 0) return false;
      const same = await find(candidate, this.#files, this.#missing);
      if (same === undefined) return false;
      if (same.kind === 'dormant' && same.dormant.checkpoint.copyOf !== null) {
        this.#copies.remember(same.dormant, same.dormant.checkpoint.copyOf, { found, file });
        return false;
      }
      this.#continueIn(same, { candidate, found, file });
      return true;
    });
    return isMatched === true;
  }

  #open(handle: ReadableFile, { found, file }: UnreadFile): Promise<OpenCandidate> {
    return candidateOf(handle, file, { target: found.target, onCompare: () => this.#events.compared() });
  }

  #continueIn(same: SameAs, { candidate, found, file }: OpenUnreadFile): void {
    const { entry, modifiedUnixMs, path } = found;
    const { sizeBytes, birth } = candidate;
    if (same.kind === 'dormant') {
      const { id, checkpoint } = same.dormant;
      this.#copies.forget(found, id);
      const { birth: _before, superseded: _other, ...rest } = checkpoint;
      const known = birth === undefined ? rest : { ...rest, birth };
      this.starter.resumeDormant({ id, checkpoint: known }, { file, entry, sizeBytes, modifiedUnixMs });
      return;
    }
    const { stream } = same;
    this.#copies.forget(found, stream.id);
    this.#files.detach(stream);
    stream.continueIn(file, { sizeBytes, modifiedUnixMs, birth });
    this.#files.follow(stream);
    this.#attached.add(stream);
    this.#events.replaced({ stream: stream.id, path });
  }

  async #matchCandidate({ found, file }: UnreadFile, context: ScanContext): Promise<void> {
    const isKept = await file.use(async (handle) => {
      this.#unread.noteReadable(found.path);
      const candidate = await this.#open(handle, { found, file });
      // Empty files cannot be distinguished.
      if (candidate.sizeBytes === 0) {
        this.#unread.note(found.path, { kind: 'empty' });
        return false;
      }
      if (!(await this.#isText(candidate, found))) return false;
      const opened = { candidate, found, file };
      if (await this.#isCopy(opened)) return true;
      if (await this.#mayHoldLostBytes(candidate)) return false;
      const recoverable = await findRecoverable(candidate, this.#files, {
        missing: this.#missing,
        isFirst: context.isFirst,
      });
      if (recoverable !== undefined) this.starter.recover(recoverable, opened);
      else await this.starter.startNew(opened, context);
      return true;
    });
    if (isKept === undefined && file.failure === 'unreadable') this.#unread.noteUnreadable(found.path);
    if (isKept !== true) await file.close();
  }

  /** Compressed data is no text, under any name. The next scan decides again: the file may be rewritten. */
  async #isText({ handle }: OpenCandidate, found: FoundFile): Promise<boolean> {
    const compression = compressionOf(await readBytes(handle, 0, MAGIC_BYTES));
    if (compression === 'undecided') this.#unread.note(found.path, { kind: 'undecided' });
    else if (compression !== undefined) this.#unread.noteCompressed(found, compression.kind);
    return compression === undefined;
  }

  /** True when it is a copy, or when a stream was started after the bytes that were copied. */
  async #isCopy(opened: OpenUnreadFile): Promise<boolean> {
    const { candidate, found } = opened;
    const known = this.#copies.at(found);
    if (known === undefined) return this.#isNewCopy(opened);
    const result = await this.#copies.check(known, opened);
    if (result === 'copy') this.#unread.note(found.path, { kind: 'copy', of: known.of });
    if (result === 'continues') {
      const start = known.checkpoint.marks.at(-1)?.[0] ?? 0;
      const checkpoint = { ...known.checkpoint, copyOf: null, start };
      this.starter.startWith(known.id, checkpoint, { ...opened, candidate });
    }
    return result !== 'other';
  }

  async #isNewCopy(opened: OpenUnreadFile): Promise<boolean> {
    const { candidate } = opened;
    const original = await findOriginal(candidate, this.#attached);
    if (original !== undefined) return this.#leaveOut(opened, original);
    const truncated = await findTruncatedOriginal(candidate, this.#files, this.#missing);
    if (truncated === undefined) return false;
    if (truncated.mark[0] === candidate.sizeBytes) return this.#leaveOut(opened, truncated.stream);
    const lineage = truncated.stream.lineage;
    const id = mintStreamId();
    this.starter.startWith(
      id,
      checkpointOf(candidate, { lineage, mark: truncated.mark, copyOf: null }),
      opened,
    );
    this.#events.began({ stream: id, path: opened.found.path, position: truncated.mark[0] });
    return true;
  }

  async #leaveOut(opened: OpenUnreadFile, original: FileStream): Promise<boolean> {
    const { candidate, found } = opened;
    const check = await readCheck(candidate.handle, candidate.sizeBytes);
    if (check === undefined) return false;
    this.#copies.add(mintStreamId(), original.id, { ...opened, mark: [candidate.sizeBytes, check] });
    this.#unread.note(found.path, { kind: 'copy', of: original.id });
    this.#events.copyFound({ path: found.path, of: original.path });
    return true;
  }

  /**
   * True when it may have the bytes of a stream whose file was truncated a moment ago: the next listing
   * decides.
   */
  async #mayHoldLostBytes(candidate: OpenCandidate): Promise<boolean> {
    const stream = await findJustTruncated(candidate, this.#attached);
    if (stream === undefined) return false;
    this.#events.truncated({ stream: stream.id, path: stream.path, position: stream.position });
    this.#files.markLost(stream);
    return true;
  }

  #indexMissing(): StreamsByName {
    return new StreamsByName(this.#files.missing(), (stream) => this.#files.isMissing(stream));
  }

  #indexAttached(): StreamsByName {
    return new StreamsByName(this.#files.attached(), (stream) => this.#files.isAttached(stream));
  }
}

export interface FileMatcherParts extends Omit<StreamStarterParts, 'missing' | 'onStart'> {
  readonly openFiles: OpenFiles;
  readonly unread: UnreadFiles;
  readonly clock: Clock;
}

/** The scan in which files are matched. */
export interface ScanContext {
  /** All paths that the scan found. */
  readonly present: ReadonlySet<string>;
  /** The first scan since the start. */
  readonly isFirst: boolean;
  /** The first scan with this state directory: `start_at` applies. */
  readonly isFirstEver: boolean;
}

function* portionsOf<T>(all: readonly T[]): Iterable<readonly T[]> {
  let start = 0;
  for (let size = FIRST_PORTION; start < all.length; size *= 2) {
    yield all.slice(start, start + size);
    start += size;
  }
}
