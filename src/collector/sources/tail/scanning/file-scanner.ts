import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { groupBy } from '../../../../runtime/group-by.ts';
import { FileAccess } from '../files/file-access.ts';
import { type FoundFile, type FoundFiles, findFiles } from '../files/find-files.ts';
import type { PathPatterns } from '../files/path-patterns.ts';
import { compareByAge } from '../files/rotation-names.ts';
import type { TailEntry } from '../files/tail-configuration.ts';
import type { DormantStream } from '../identity/dormant-streams.ts';
import { FileMatcher, type FileMatcherParts } from '../identity/file-matcher.ts';
import { type FollowedFiles, fileKey } from '../identity/followed-files.ts';
import { candidateOf } from '../identity/open-candidate.ts';
import { isSameInode, stillHolds } from '../identity/same-file.ts';
import type { FileStream } from '../reading/file-stream.ts';
import { CompressedGenerations, type CompressedGenerationsParts } from './compressed-generations.ts';
import { type HandledArchives, LossReport, type LossReporting } from './loss-report.ts';
import { RenamedEmptyFiles } from './renamed-empty-files.ts';
import { UnseenGenerations } from './unseen-generations.ts';

/**
 * Maximum for one scan: a log that is rotated faster than directories are listed must not block the others.
 */
const MAX_LISTINGS = 20;

/**
 * Scans for files and decides which stream each file belongs to. Scans run one after the other, while streams
 * are read.
 *
 *   1. Followed streams: a stream whose file has changed is woken, if the file still has the bytes that were read.
 *      Otherwise the stream is *lost*.
 *   2. In the first scan, files that were renamed to a name that is not read are searched in the directory of the file.
 *   3. Files that no stream reads are matched (`FileMatcher`). A lost stream may continue in one of them.
 *      Rotated files that no pattern matches are read if no scan saw them before their rotation (`UnseenGenerations`).
 *   4. All of this is repeated while a stream was started or lost: a log may have been rotated after the directory was
 *      listed and before its bytes were read. Only a listing that is younger than a stream shows all its older
 *      generations.
 *   5. Archives are compared with the streams (`CompressedGenerations`).
 *   6. Streams that are still lost have ended. New streams are added to the order of generations.
 */
export class FileScanner {
  readonly #parts: FileMatcherParts;
  readonly #patterns: PathPatterns;
  readonly #files: FollowedFiles;
  readonly #matcher: FileMatcher;
  readonly #lossReport: LossReport;
  readonly #unseen: UnseenGenerations;
  readonly #renamedEmpty: RenamedEmptyFiles;
  readonly #compressed: CompressedGenerations | undefined;
  readonly #reporting: LossReporting;
  #hasReported = false;
  /** Streams whose bytes may be in an archive that was not complete in the last scan are not reported yet. */
  #mayReportLater = false;
  #isFirst = true;
  #isFirstEver = false;
  /** The number of files that were found to be deleted. */
  #deletions = 0;
  /** The number of changes that are on disk. */
  #saved = 0;
  /**
   * A stream was started or lost: an older generation of it, or its bytes, may have appeared after the
   * listing.
   */
  #mustListAgain = false;

  constructor(patterns: PathPatterns, parts: FileScannerParts, reporting: LossReporting) {
    this.#parts = parts;
    this.#reporting = reporting;
    this.#lossReport = new LossReport(patterns, parts, reporting);
    this.#patterns = patterns;
    this.#files = parts.files;
    this.#matcher = new FileMatcher(parts);
    this.#unseen = new UnseenGenerations({ ...parts, patterns, starter: this.#matcher.starter });
    const { archives } = parts;
    const { starter } = this.#matcher;
    this.#renamedEmpty = new RenamedEmptyFiles({ ...parts, patterns, starter });
    this.#compressed = archives && new CompressedGenerations({ ...parts, ...archives, patterns, starter });
  }

  /** The time of the oldest write to a rotated file about which is not decided yet. */
  get undecidedSinceUnixMs(): number | undefined {
    const times = [this.#unseen.undecidedSinceUnixMs, this.#compressed?.undecidedSinceUnixMs];
    return times.reduce((a, b) => (a === undefined || (b !== undefined && b < a) ? b : a));
  }

  /** False when something was found about which a later scan decides. */
  get isSettled(): boolean {
    if (this.#mustListAgain || this.#renamedEmpty.isWaiting || this.#unseen.isWaiting) return false;
    return this.undecidedSinceUnixMs === undefined;
  }

  /** Compares a followed file whose state has changed. False when a scan must decide. */
  async compareFollowed(stream: FileStream): Promise<boolean> {
    const found = await stat(stream.path, { bigint: true }).catch(() => undefined);
    const isOther = stream.birth !== undefined && String(found?.birthtimeNs) !== stream.birth;
    if (found === undefined || String(found.ino) !== stream.place.inode || isOther) return false;
    const state = { sizeBytes: Number(found.size), modifiedUnixMs: Number(found.mtimeMs) };
    await this.#updateContent(stream, state);
    return !this.#files.lost.has(stream);
  }

  /**
   * A stream that it starts is opened after the scan, because an older generation of it may be found until
   * then. It is opened earlier if its file is the only one of its name. `isFirstEver`: nothing was read with
   * this state before.
   */
  async scan({ isFirstEver }: { readonly isFirstEver: boolean }): Promise<FoundFiles> {
    this.#isFirstEver = isFirstEver;
    let found = await this.#listOnce();
    for (let again = 1; this.#mustListAgain && again < MAX_LISTINGS; again++) found = await this.#listOnce();
    await this.#compressed?.follow(found);
    for (const stream of this.#files.lost)
      if (!this.#handled.mayHold({ ...stream.place, home: stream.home, lineage: stream.lineage }))
        this.endLost(stream);
    this.#matcher.starter.orderStarted();
    if (this.#reporting.isEnabled) await this.#reportLosses(found);
    await this.#save();
    return found;
  }

  async #reportLosses(found: FoundFiles): Promise<void> {
    const archives = this.#handled;
    if (this.#hasReported) {
      if (this.#mayReportLater) await this.#lossReport.sendGone(found, archives);
      await this.#unseen.report((file) => archives.isHandled(file));
    } else {
      this.#hasReported = true;
      await this.#unseen.recordFirst();
      await this.#lossReport.send(found, archives);
    }
    this.#mayReportLater = this.#compressed?.undecidedSinceUnixMs !== undefined;
  }

  get #handled(): HandledArchives {
    return this.#compressed ?? NO_ARCHIVES;
  }

  /**
   * All changes are on disk when the scan ends, also for streams that wait for their turn. Otherwise a
   * restart could not recognize a file that was renamed or created again in the meantime.
   */
  async #save(): Promise<void> {
    const found = this.#matcher.starter.started + this.#matcher.copyChanges + this.#deletions;
    if (found === this.#saved) return;
    this.#saved = found;
    // A failure is reported when the next write fails too.
    await this.#parts.checkpoints.flush().catch(() => undefined);
  }

  async #listOnce(): Promise<FoundFiles> {
    const known = this.#matcher.starter.started;
    const lost = new Set(this.#files.lost);
    const found = await findFiles(this.#patterns);
    const byFile = groupBy(found.files, fileKey);
    this.#parts.unread.clear();
    for (const path of found.nonUtf8Paths) this.#parts.unread.noteNonUtf8(path);
    const present = new Set(found.files.map(({ path }) => path));
    await this.#updateFollowed(byFile, { unreadableDirectories: found.unreadableDirectories, present });
    if (this.#isFirst) await this.#findRenamedWhileStopped(byFile);
    const context = { present, isFirst: this.#isFirst, isFirstEver: this.#isFirst && this.#isFirstEver };
    await this.#matcher.match(this.#unfollowed(byFile), context);
    await this.#renamedEmpty.follow(found.files);
    await this.#unseen.follow();
    this.#isFirst = false;
    const isNewlyLost = [...this.#files.lost].some((stream) => !lost.has(stream));
    this.#mustListAgain = this.#matcher.starter.started > known || isNewlyLost;
    return found;
  }

  /** No file has the bytes of the stream any more: those that were not read are lost. */
  endLost(stream: FileStream): void {
    const { id, path, position } = stream;
    this.#files.lost.delete(stream);
    this.#files.detach(stream);
    const lostBytes = Math.max(0, stream.content.end - position);
    if (lostBytes > 0) this.#parts.events.lost({ stream: id, path, position, lostBytes });
    stream.end(lostBytes);
  }

  async #updateFollowed(
    byFile: ReadonlyMap<string, readonly FoundFile[]>,
    {
      unreadableDirectories,
      present,
    }: { readonly unreadableDirectories: ReadonlySet<string>; readonly present: ReadonlySet<string> },
  ): Promise<void> {
    for (const stream of this.#files.attached()) {
      const found = byFile.get(fileKey(stream.place));
      // The inode number may be used for another file now.
      const isOther = stream.birth !== undefined && found?.[0]?.birthNs !== stream.birth;
      if (found !== undefined && !isOther) await this.#updateFound(stream, found);
      else if (!unreadableDirectories.has(dirname(stream.path))) await this.#updateNotFound(stream, present);
    }
  }

  async #updateFound(stream: FileStream, found: readonly FoundFile[]): Promise<void> {
    const here = found.find(({ path }) => path === stream.path) ?? found[0];
    if (here === undefined) return;
    const from = stream.presence.foundAt(here.path, here.target);
    if (from !== undefined) this.#parts.events.renamed({ stream: stream.id, path: here.path, from });
    await this.#updateContent(stream, here);
  }

  async #updateContent(
    stream: FileStream,
    { sizeBytes, modifiedUnixMs }: Pick<FoundFile, 'sizeBytes' | 'modifiedUnixMs'>,
  ): Promise<void> {
    const isUnchanged = sizeBytes === stream.sizeBytes && modifiedUnixMs === stream.modifiedUnixMs;
    if (isUnchanged && !stream.isInDoubt) {
      if (stream.file.failure !== undefined || stream.position < stream.sizeBytes) stream.wake();
      return;
    }
    stream.recordModified(modifiedUnixMs);
    await this.#compareContent(stream, sizeBytes);
  }

  /** The file has no path that is read: it was deleted or moved away. */
  async #updateNotFound(stream: FileStream, present: ReadonlySet<string>): Promise<void> {
    const state = await stream.state();
    if (state === undefined) {
      if (stream.file.failure !== 'gone') return;
      this.#deletions++;
      if (!present.has(stream.path)) stream.presence.markPathAbsent();
      this.#markLost(stream);
      return;
    }
    const { presence } = stream;
    stream.recordModified(state.modifiedUnixMs);
    const fields = { stream: stream.id, path: stream.path };
    if (!state.unlinked) {
      if (presence.markMovedAway()) this.#parts.events.movedAway(fields);
    } else {
      if (presence.markDeleted(this.#parts.clock.monotonicMs())) {
        this.#deletions++;
        this.#parts.events.unlinked(fields);
      }
      if (!present.has(stream.path) && presence.markPathAbsent()) this.#deletions++;
    }
    if (state.sizeBytes !== stream.sizeBytes || stream.isInDoubt)
      await this.#compareContent(stream, state.sizeBytes);
  }

  /** The file has changed. */
  async #compareContent(stream: FileStream, sizeBytes: number): Promise<void> {
    if ((await stream.content.stillHolds()) === false) this.#markLost(stream);
    else stream.confirm(sizeBytes);
  }

  #markLost(stream: FileStream): void {
    this.#parts.events.truncated({ stream: stream.id, path: stream.path, position: stream.position });
    this.#files.markLost(stream);
  }

  /** While the collector was not running, a file may have been renamed to a name that no pattern matches. */
  async #findRenamedWhileStopped(byFile: ReadonlyMap<string, readonly FoundFile[]>): Promise<void> {
    const wanted: { readonly stream: DormantStream; readonly directory: string }[] = [];
    for (const stream of this.#files.dormant.values()) {
      if (stream.checkpoint.copyOf !== null || byFile.has(fileKey(stream.checkpoint))) continue;
      wanted.push({ stream, directory: await directoryOf(stream) });
    }
    for (const [directory, streams] of groupBy(wanted, (one) => one.directory)) {
      const paths = await this.#parts.openFiles.directories.list(directory);
      for (const { stream } of streams) {
        const path = paths.get(stream.checkpoint.inode);
        const entry = this.#patterns.entryFor(stream.checkpoint.home);
        if (path === undefined || entry === undefined || this.#patterns.entryFor(path)) continue;
        await this.#followRenamed(stream, path, entry);
      }
    }
  }

  async #followRenamed(dormant: DormantStream, path: string, entry: TailEntry): Promise<void> {
    const { device, inode } = dormant.checkpoint;
    const file = new FileAccess({ path, device, inode }, this.#parts.openFiles);
    const sizeBytes = await file.use(async (handle) => {
      const candidate = await candidateOf(handle, file, { onCompare: () => this.#parts.events.compared() });
      const known = dormant.checkpoint;
      const isSame = isSameInode(known, candidate) && (await stillHolds(known, candidate));
      return isSame ? candidate.sizeBytes : undefined;
    });
    if (sizeBytes === undefined) {
      await file.close();
      return;
    }
    const stream = this.#matcher.starter.resumeDormant(dormant, {
      file,
      entry,
      sizeBytes,
      modifiedUnixMs: 0,
    });
    stream.presence.markMovedAway();
  }

  /** One path of each file that no stream reads, in the order in which the files are sent. */
  #unfollowed(byFile: ReadonlyMap<string, readonly FoundFile[]>): FoundFile[] {
    const unfollowed: FoundFile[] = [];
    const missing = new Set(this.#files.missing().map(({ path }) => path));
    const isKnown = (path: string) => missing.has(path) || this.#files.dormant.at(path).length > 0;
    for (const found of byFile.values()) {
      const stream = found[0] && this.#files.streamOf(found[0]);
      // A stream may continue at its former path. A path of the file itself is preferred to a link.
      const chosen =
        found.find(({ path }) => path === stream?.path) ??
        (stream === undefined ? found.find(({ path }) => isKnown(path)) : undefined) ??
        found.find(({ target }) => target === undefined) ??
        found[0];
      if (chosen === undefined) continue;
      for (const { path } of found) {
        if (path !== chosen.path) this.#parts.unread.note(path, { kind: 'duplicate', of: chosen.path });
      }
      if (stream === undefined) unfollowed.push(chosen);
    }
    return unfollowed.sort(compareByAge);
  }
}

export interface FileScannerParts extends FileMatcherParts {
  /** Undefined: compressed files are not read. */
  readonly archives:
    | Pick<CompressedGenerationsParts, 'ledger' | 'room' | 'sinceUnixMs' | 'isOnce'>
    | undefined;
}

const NO_ARCHIVES: HandledArchives = { isHandled: () => false, mayHold: () => false };

/** The directory where a rotation leaves the file: the directory of the target, when its path is a link. */
async function directoryOf({ checkpoint: { path, target } }: DormantStream): Promise<string> {
  // The state of an earlier version has no targets: the target of the link now is the best guess.
  return dirname(target ?? (await realpath(path).catch(() => path)));
}
