import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Amount } from '../../../records/amount.ts';
import { NOTHING, plus, sumOf } from '../../../records/amount.ts';
import type { Resource } from '../../../records/resource.ts';
import { mintStreamId, parseStreamId } from '../../../records/stream-id.ts';
import { Timer } from '../../../runtime/async/timer.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { StateStore, Table } from '../../../storage/state/state-store.ts';
import { Checkpoints } from '../../checkpoints.ts';
import { cutterFor } from '../../cutting/cutter-for.ts';
import type { LeftFile } from '../../one-shot-report.ts';
import type { Source, StreamSink } from '../../source.ts';
import { ageDormantStreams } from './age-dormant-streams.ts';
import { Decisions } from './decisions.ts';
import { type Explanation, explain } from './explain.ts';
import { TailEvents } from './files/events.ts';
import type { FileCheckpoint } from './files/file-checkpoint.ts';
import type { FoundFiles } from './files/find-files.ts';
import { OpenFiles } from './files/open-files.ts';
import { PathPatterns } from './files/path-patterns.ts';
import type { TailEntry } from './files/tail-configuration.ts';
import type { NewStream } from './identity/file-matcher.ts';
import { FollowedFiles } from './identity/followed-files.ts';
import { GenerationOrder } from './identity/generation-order.ts';
import { UnreadFiles } from './identity/unread-files.ts';
import { FileStream } from './reading/file-stream.ts';
import type { FileStreamParts } from './reading/file-stream-parts.ts';
import { checkDrained, DRAIN_CHECK_MS, isDraining } from './reading/rotation-drain.ts';
import type { StreamOwner } from './reading/stream-signals.ts';
import { DirectoryWatcher, type PathChange } from './scanning/directory-watcher.ts';
import { FileScanner } from './scanning/file-scanner.ts';
import { streamsBeyondDeletedLimit } from './streams-beyond-deleted-limit.ts';
import { TailHistory } from './tail-history.ts';
import { type TailStatus, tailStatus } from './tail-status.ts';

export interface TailSourceOptions {
  readonly entries: readonly TailEntry[];
  /** What all records of the collector carry: `host.name` and more. */
  readonly resource: Resource;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Read what is there at the start, and no more. */
  readonly once: boolean;
  /** Where relative globs begin. */
  readonly workingDirectory?: string;
  readonly limits?: Partial<TailLimits>;
  /** A command looks at the state while no collector runs: what was lost is reported by the next run. */
  readonly isOffline?: boolean;
}

export interface TailLimits {
  /** Files held open at once. */
  readonly openFiles: number;
  /** What deleted files that are held open may take on disk together. */
  readonly deletedBytes: number;
  /** A slow look makes sure that nothing was missed. */
  readonly pollMs: number;
}

const LIMITS: TailLimits = { openFiles: 512, deletedBytes: 1024 ** 3, pollMs: 10_000 };

const SCANNED = 'looked';

/** After a look, the next one waits 20 times as long as the look took, but not shorter or longer than this. */
const SCAN_PAUSE_MS = { shortest: 100, longest: 2_000 };

export interface TailSource extends Source {
  /** Looks at once for what has changed; resolves when everything found is decided and opened. */
  scan(): Promise<void>;
  explain(path: string): Promise<Explanation>;
  status(): TailStatus;
  /** What was read in this run and is accepted: each record once. */
  accepted(): Amount;
  /** For --once: files that should have been read, and were not or not to their end. */
  left(): readonly LeftFile[];
  /** Bytes that were gone before they could be read, in this run or before it. */
  lostBytes(): number;
  /** After the publisher has stopped: writes the last checkpoints and closes all files. Safe twice. */
  close(): Promise<void>;
}

export function createTailSource(options: TailSourceOptions): TailSource {
  return new FileTailSource(options);
}

/**
 * Follows files.
 *
 *     directories --announce--> look --decides--> streams --in line--> sink.open ... read ... accept
 *         poll ----------------^                                              |
 *                                      checkpoints <-- grouped ---------------'
 *
 * What a file is, is decided by its content; device and inode only break ties. A stream is one generation of one file.
 * `FileScanner` says which stream a file belongs to, `FileStream` reads it and proves with each read that the bytes are
 * still those, `GenerationOrder` keeps generations in order, `settle` says when one is past. Everything that decides runs one
 * after the other; only reading goes on beside it.
 *
 * A stream is
 *
 *     dormant ---> queued ---> open ---> yielded ---> ended
 *     (no file     (waits for  (is       (renamed,    (deleted or truncated, all of it
 *     seen yet)    its turn)   sent)     at its end)  accepted: dormant again)
 *
 * Limits: open files, the disk space of deleted files, a read's size (the publisher's buffer). For a followed file that
 * rests, a stream object and its checkpoint are held, some 2 KB.
 *
 * Recovery: checkpoints are read at the start as dormant streams; the first look finds their files again. A checkpoint
 * that is behind costs nothing, since the aggregator says where a stream ends; one that is lost costs duplicates.
 */
class FileTailSource implements TailSource, StreamOwner<FileStream> {
  readonly name = 'tail';
  readonly #options: TailSourceOptions;
  readonly #limits: TailLimits;
  readonly #clock: Clock;
  readonly #events: TailEvents;
  readonly #patterns: PathPatterns;
  readonly #checkpoints: Checkpoints<FileCheckpoint>;
  /** Whether files were ever looked for with this state. */
  readonly #scans: Table<boolean>;
  readonly #history: TailHistory;
  readonly #files = new FollowedFiles();
  readonly #order = new GenerationOrder();
  readonly #openFiles: OpenFiles;
  readonly #unread: UnreadFiles;
  readonly #scanner: FileScanner;
  readonly #watcher: DirectoryWatcher;
  #sink: StreamSink | undefined;
  /** Streams by the paths where their bytes may change. */
  #byPath = new Map<string, FileStream>();
  #watchedDirectories: ReadonlySet<string> = new Set();
  readonly #decisions: Decisions;
  readonly #pollTimer: Timer;
  readonly #scanTimer: Timer;
  readonly #drainTimer: Timer;
  #scanAllowedAtMs = 0;
  #lastAgedMs: number;
  /** Of streams that have ended. */
  #acceptedBefore: Amount = NOTHING;
  /** No file was looked for with this state before. */
  #isFirstEver = false;
  #running = false;
  #started = false;
  #whenDrained: (() => void)[] = [];

  constructor(options: TailSourceOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#clock = options.clock;
    this.#lastAgedMs = options.clock.monotonicMs();
    this.#events = new TailEvents(options.logger, options.metrics);
    this.#patterns = new PathPatterns(options.entries, options.workingDirectory ?? process.cwd());
    this.#openFiles = new OpenFiles(this.#limits.openFiles);
    this.#decisions = new Decisions((error) => this.#events.scanFailed(error));
    this.#pollTimer = new Timer(options.clock, () => void this.scan());
    this.#scanTimer = new Timer(options.clock, () => void this.scan());
    this.#drainTimer = new Timer(options.clock, () => void this.#decisions.run(() => this.#checkDraining()));
    this.#watcher = new DirectoryWatcher({
      changed: (path, change) => this.#announced(path, change),
      failed: (directory, error) => this.#events.unwatched(directory, error),
    });
    this.#checkpoints = new Checkpoints<FileCheckpoint>({
      store: options.store,
      table: 'tail-checkpoints',
      clock: options.clock,
      onFailure: (error) => this.#events.checkpointsFailed(error),
    });
    this.#scans = options.store.table<boolean>('tail-looks');
    this.#history = new TailHistory(options.store);
    this.#unread = new UnreadFiles(this.#events);
    const reporting = {
      isEnabled: options.isOffline !== true,
      sinceUnixMs: this.#history.lastScanUnixMs,
    };
    const parts = {
      files: this.#files,
      order: this.#order,
      openFiles: this.#openFiles,
      checkpoints: this.#checkpoints,
      createStream: (stream: NewStream) => this.#createStream(stream),
      openReady: () => this.#openNext(),
      unread: this.#unread,
      clock: options.clock,
      events: this.#events,
    };
    this.#scanner = new FileScanner(this.#patterns, parts, reporting);
  }

  async start(sink: StreamSink): Promise<void> {
    this.#sink = sink;
    this.#running = true;
    for (const { id, value } of this.#checkpoints.entries()) {
      const stream = parseStreamId(id);
      if (stream !== undefined) this.#files.dormant.add(stream, value);
    }
    this.#isFirstEver = this.#files.dormant.size === 0 && this.#scans.get(SCANNED) === undefined;
    const first = await this.#decisions.attempt(() => this.#scanNow());
    if (first !== undefined) throw first.failure;
    this.#started = true;
    this.#resolveDrained();
  }

  async stop(_deadline: AbortSignal): Promise<void> {
    this.#running = false;
    for (const alarm of [this.#pollTimer, this.#scanTimer, this.#drainTimer]) alarm.cancel();
    this.#watcher.close();
    await this.#decisions.idle();
    if (this.#started) await this.#flush();
    if (this.#started)
      await this.#remember((history, nowUnixMs) => history.save(nowUnixMs, this.#events.allLostBytes));
  }

  async close(): Promise<void> {
    this.#running = false;
    await this.#decisions.idle();
    for (const stream of this.#files.streams.values()) await stream.close();
    await this.#openFiles.closeAll();
    if (this.#started) await this.#flush();
    this.#checkpoints.close();
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenDrained.push(resolve);
      if (this.#started) this.#resolveDrained();
    });
  }

  scan(): Promise<void> {
    return this.#decisions.run(async () => {
      if (this.#running && !this.#options.once) await this.#scanNow();
    });
  }

  async #scanNow(): Promise<void> {
    this.#scanTimer.cancel();
    if (!this.#options.once) this.#pollTimer.set(this.#limits.pollMs);
    const beganMs = this.#clock.monotonicMs();
    const found = await this.#scanner.scan({ isFirstEver: this.#isFirstEver });
    await this.#recordFirstScan();
    await this.#remember((history, nowUnixMs) => history.scanned(nowUnixMs, this.#events.allLostBytes));
    this.#endBeyondDeletedLimit();
    this.#ageDormant();
    await this.#openNext();
    const nowMs = this.#clock.monotonicMs();
    const ms = nowMs - beganMs;
    const { shortest, longest } = SCAN_PAUSE_MS;
    this.#scanAllowedAtMs = nowMs + Math.min(longest, Math.max(shortest, 20 * ms));
    this.#watch(found);
    this.#events.scanned({ followed: this.#files.attached().length, open: this.#openFiles.size, ms });
  }

  explain(path: string): Promise<Explanation> {
    return explain(path, {
      files: this.#files,
      patterns: this.#patterns,
      unread: this.#unread,
      order: this.#order,
      clock: this.#clock,
      workingDirectory: this.#options.workingDirectory ?? process.cwd(),
    });
  }

  status(): TailStatus {
    return tailStatus(this.#files, this.#history.lostBytes(this.#events.allLostBytes));
  }

  accepted(): Amount {
    const streams = Array.from(this.#files.streams.values(), ({ content }) => content.acceptedReads);
    return plus(this.#acceptedBefore, sumOf(streams));
  }

  left(): readonly LeftFile[] {
    const left = new Map<string, LeftFile>();
    for (const { path, reason } of this.#unread.missed()) left.set(path, { path, reason });
    for (const stream of this.#files.streams.values()) {
      const { path, refusal } = stream;
      const { leftBytes: bytes } = stream.content;
      if (bytes === 0) continue;
      const reason = left.get(path)?.reason ?? 'unread';
      left.set(path, {
        path,
        bytes,
        ...(refusal === undefined ? { reason } : { reason: 'refused', refusal }),
      });
    }
    return [...left.values()];
  }

  lostBytes(): number {
    return this.#events.allLostBytes;
  }

  // What streams tell.

  contentLost(stream: FileStream): void {
    if (!this.#files.isAttached(stream)) return;
    stream.doubt();
    if (this.#options.once) void this.#decisions.run(() => this.#loseForGood(stream));
    else this.#scheduleScan();
  }

  unreadable(stream: FileStream): void {
    this.#unread.noteUnreadable(stream.path);
    this.#resolveDrained();
  }

  diverged(stream: FileStream): void {
    void this.#decisions.run(() => this.#replace(stream));
  }

  changed(stream: FileStream): void {
    if (this.#files.streams.has(stream.id)) this.#checkpoints.change(stream.id, () => stream.checkpoint());
  }

  progressed(stream: FileStream): void {
    if (isDraining(stream) && stream.accepted >= stream.content.end) this.#scheduleDrainCheck(0);
    else if (stream.isEnded && stream.accepted >= stream.position)
      void this.#decisions.run(() => this.#openAfterScan());
    this.#resolveDrained();
  }

  wake(stream: FileStream): void {
    if (stream.isOpened) this.#sink?.wake(stream.id);
  }

  // Decisions.

  #announced(path: string, change: PathChange): void {
    const stream = this.#byPath.get(path);
    if (stream !== undefined && change === 'content') stream.wake();
    else if (stream !== undefined || this.#patterns.entryFor(path) || this.#isDirectoryChange(path, change)) {
      this.#scheduleScan();
    }
  }

  #isDirectoryChange(path: string, change: PathChange): boolean {
    return change === 'name' && (this.#patterns.mayContain(path) || this.#watchedDirectories.has(path));
  }

  #scheduleScan(): void {
    if (!this.#running || this.#options.once) return;
    this.#scanTimer.setIfUnset(Math.max(0, this.#scanAllowedAtMs - this.#clock.monotonicMs()));
  }

  #watch({ files, directories }: FoundFiles): void {
    this.#byPath = new Map();
    for (const stream of this.#files.attached()) this.#byPath.set(stream.path, stream);
    for (const found of files) {
      const stream = this.#files.streamOf(found);
      if (stream === undefined) continue;
      this.#byPath.set(found.path, stream);
      if (found.target !== undefined) this.#byPath.set(found.target, stream);
    }
    if (!this.#running || this.#options.once) return;
    this.#watchedDirectories = directories;
    if (this.#watcher.watch(directories)) this.#scheduleScan();
  }

  /** Opens the streams whose turn it is, once their identities are on disk. */
  async #openNext(): Promise<void> {
    const turn = this.#order.advance();
    for (const stream of this.#files.streams.values()) {
      if (stream.isHandedOver && !stream.isOpened && !stream.isEnded) turn.push(stream);
    }
    this.#dropEnded();
    if (turn.length > 0 && (await this.#flush())) {
      for (const stream of turn) {
        const isNew = !stream.isOpened;
        stream.open();
        if (isNew) this.#sink?.open(stream);
      }
    }
    if (this.#isAnyDraining()) this.#scheduleDrainCheck(DRAIN_CHECK_MS);
    this.#resolveDrained();
  }

  #dropEnded(): void {
    for (const stream of this.#files.streams.values()) {
      if (!stream.isEnded || stream.isDiverged) continue;
      if (stream.isOpened && stream.accepted < stream.position) continue;
      this.#forgetStream(stream);
      if (stream.accepted > stream.start) {
        const checkpoint = { ...stream.checkpoint(), finished: true as const };
        this.#files.dormant.add(stream.id, checkpoint);
        this.#checkpoints.change(stream.id, () => checkpoint);
      } else this.#checkpoints.remove(stream.id);
    }
  }

  #forgetStream(stream: FileStream): void {
    this.#acceptedBefore = plus(this.#acceptedBefore, stream.content.acceptedReads);
    this.#files.forget(stream);
  }

  async #flush(): Promise<boolean> {
    try {
      await this.#checkpoints.flush();
      return true;
    } catch (error) {
      this.#events.checkpointsFailed(error as Error);
      return false;
    }
  }

  #isAnyDraining(): boolean {
    for (const stream of this.#files.streams.values()) if (isDraining(stream)) return true;
    return false;
  }

  #scheduleDrainCheck(afterMs: number): void {
    if (!this.#running) return;
    if (afterMs === 0) this.#drainTimer.set(0);
    else this.#drainTimer.setIfUnset(afterMs);
  }

  async #checkDraining(): Promise<void> {
    for (const stream of this.#files.streams.values()) {
      if (!isDraining(stream)) continue;
      const outcome = await checkDrained(stream, this.#clock, this.#events);
      if (outcome === 'lost') this.contentLost(stream);
      if (outcome === 'handed-over' || outcome === 'finished') stream.handOver();
      if (outcome === 'finished') this.#finish(stream);
    }
    await this.#openAfterScan();
  }

  /**
   * A generation that waited for its turn may have been copied and truncated meanwhile. Of a stream without a byte, its
   * beginning is no evidence: the next generation may begin alike. So the copy, which goes first, is looked for before
   * the stream is opened.
   */
  async #openAfterScan(): Promise<void> {
    if (this.#running && !this.#options.once && this.#order.isAnyWaiting()) await this.#scanNow();
    else await this.#openNext();
  }

  async #loseForGood(stream: FileStream): Promise<void> {
    this.#scanner.endLost(stream);
    await this.#openNext();
  }

  #finish(stream: FileStream): void {
    this.#events.finished({ stream: stream.id, path: stream.path, position: stream.accepted });
    stream.end();
  }

  /** The aggregator means other bytes by the stream's id: another goes on where our own checkpoint stands. */
  async #replace(stream: FileStream): Promise<void> {
    if (!this.#files.streams.has(stream.id)) return;
    // The ledger has no gaps of the new stream yet.
    const { holes: _holes, ...known } = stream.checkpoint();
    const mark = known.marks.at(-1);
    if (mark === undefined) return;
    const replacement = this.#createStream({
      id: mintStreamId(),
      checkpoint: { ...known, start: mark[0], marks: [mark] },
      file: stream.file,
      entry: stream.entry,
      sizeBytes: stream.sizeBytes,
      modifiedUnixMs: stream.modifiedUnixMs,
    });
    replacement.presence.inherit(stream.presence);
    this.#forgetStream(stream);
    this.#files.follow(replacement);
    this.#order.replace(stream, replacement);
    this.#checkpoints.remove(stream.id);
    this.#checkpoints.change(replacement.id, () => replacement.checkpoint());
    const { id, path } = stream;
    this.#events.diverged({ stream: id, path, replacement: replacement.id, position: mark[0] });
    this.#sink?.close(id);
    await this.#openNext();
  }

  #endBeyondDeletedLimit(): void {
    for (const stream of streamsBeyondDeletedLimit(this.#files.attached(), this.#limits.deletedBytes)) {
      const { id, path, position, sizeBytes } = stream;
      this.#events.discarded({ stream: id, path, position, lostBytes: sizeBytes - position });
      stream.end();
    }
  }

  /** From now on, a file that is new was written while this state was there: it is read from its beginning. */
  async #recordFirstScan(): Promise<void> {
    if (!this.#isFirstEver) return;
    try {
      await this.#options.store.write(() => this.#scans.put(SCANNED, true));
      this.#isFirstEver = false;
    } catch (error) {
      this.#events.checkpointsFailed(error as Error);
    }
  }

  async #remember(write: (history: TailHistory, nowUnixMs: number) => Promise<void>): Promise<void> {
    if (this.#options.isOffline) return;
    try {
      await write(this.#history, Number(this.#clock.nowUnixNano() / 1_000_000n));
    } catch (error) {
      this.#events.checkpointsFailed(error as Error);
    }
  }

  #ageDormant(): void {
    const nowMs = this.#clock.monotonicMs();
    ageDormantStreams(this.#files, this.#checkpoints, nowMs - this.#lastAgedMs);
    this.#lastAgedMs = nowMs;
  }

  #resolveDrained(): void {
    if (!this.#started || this.#whenDrained.length === 0) return;
    const isDrained = (stream: FileStream) =>
      !stream.isDiverged &&
      ((stream.accepted >= stream.position &&
        (stream.isEnded || (stream.isOpened && stream.content.isDrained))) ||
        // It is tried again hourly; the only run there is does not wait for that.
        (this.#options.once && stream.refusal !== undefined));
    for (const stream of this.#files.streams.values()) if (!isDrained(stream)) return;
    for (const resolve of this.#whenDrained.splice(0)) resolve();
  }

  #createStream(parts: NewStream): FileStream {
    const { entry, sizeBytes } = parts;
    const streamParts: FileStreamParts = {
      ...parts,
      resourceAt: (path) => new Map([...this.#options.resource, ...entry.resource, ['log.file.path', path]]),
      cutter: cutterFor(entry.multiline, entry.format),
      clock: this.#clock,
      events: this.#events,
      ...(this.#options.once ? { limit: sizeBytes } : {}),
    };
    return new FileStream(streamParts, this);
  }
}
