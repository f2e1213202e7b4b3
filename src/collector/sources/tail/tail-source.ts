import type { Amount } from '../../../records/amount.ts';
import { plus, sumOf } from '../../../records/amount.ts';
import { SerialQueue } from '../../../runtime/async/serial-queue.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { HttpError } from '../../../runtime/http/http-error.ts';
import { cutterFor } from '../../cutting/cutter-for.ts';
import type { LeftFile } from '../../one-shot-report.ts';
import type { ExplainAsker, Source, StreamSink } from '../../source.ts';
import { containerOfPath } from './container-of-path.ts';
import { DetectedEncodings } from './detected-encodings.ts';
import { type Explanation, explain } from './explain.ts';
import { openTailEvents, type TailEvents } from './files/events.ts';
import { OpenFiles } from './files/open-files.ts';
import { PathPatterns } from './files/path-patterns.ts';
import type { TailEntry } from './files/tail-configuration.ts';
import { isStreamAt } from './forget-file.ts';
import { FollowedFiles } from './identity/followed-files.ts';
import { GenerationOrder } from './identity/generation-order.ts';
import type { NewStream } from './identity/stream-starter.ts';
import { UnreadFiles } from './identity/unread-files.ts';
import { leftFiles } from './left-files.ts';
import { localZone } from './local-zone.ts';
import { FileStream } from './reading/file-stream.ts';
import type { FileStreamParts } from './reading/file-stream-parts.ts';
import type { StreamOwner } from './reading/stream-signals.ts';
import { ArchiveLedger } from './scanning/archive-ledger.ts';
import { FileScanner } from './scanning/file-scanner.ts';
import { InflationRoom } from './scanning/inflation-room.ts';
import { QuietCheck } from './scanning/quiet-check.ts';
import { ScanTrigger } from './scanning/scan-trigger.ts';
import { StreamTurns } from './stream-turns.ts';
import { streamsBeyondDeletedLimit } from './streams-beyond-deleted-limit.ts';
import type { TailLimits, TailSourceOptions } from './tail-source-options.ts';
import { TailState } from './tail-state.ts';
import { type TailStatus, tailStatus } from './tail-status.ts';

/*
 * The tail source follows files.
 *
 *     ScanTrigger --> FileScanner --> FileMatcher --> GenerationOrder --> StreamTurns --> sink.open(FileStream)
 *     when to scan    which files     which stream    which generation    opens what      the publisher reads it
 *                     are there       a file is       goes first          has its turn
 *
 * A scan lists the files that match the patterns. A file becomes a stream when no known stream continues in
 * it and it is not a copy. A stream is one generation of one file, and a position in it is an offset in the
 * file.
 *
 * Files are identified by their content, because a rotation renames or copies them. The inode number only
 * selects the streams with which a file is compared. Evidence is compared at four places: before each read
 * (`VerifiedFile`), when a followed file has changed (`FileScanner`), when a file is matched (`same-file.ts`,
 * `FileMatcher`), and when the aggregator reports the bytes that it has (`StreamEvidence`).
 *
 * Rotation: a renamed or deleted file is read to its end. When it is idle and all of it is accepted, it hands
 * over to the next generation (`rotation-drain.ts`), and it is followed as long as it exists.
 *
 * Losses: bytes that are gone are counted where that is found. Generations that no scan saw under a path that is
 * read are read or counted later (`UnseenGenerations`), and those of the time before the start in the first scan
 * (`LossReport`). `accounted-content.ts` compares a rotated file with all that was read, so no byte counts twice.
 *
 * Decisions about files run one after the other in a queue. Reading runs beside them.
 *
 * Limits: the number of open files, the disk space of deleted files, the size of a read (the publisher's
 * buffer). A followed file that is idle needs about 2 KB for its stream and its checkpoint.
 *
 * Recovery: checkpoints are loaded at the start as dormant streams, and the first scan finds their files. An
 * old checkpoint costs nothing, because the aggregator reports where a stream ends. A lost checkpoint costs
 * duplicates.
 *
 * Which file for which question:
 *     states of a stream       reading/file-stream.ts       state on disk         files/file-checkpoint.ts
 *     is it the same file?     identity/same-file.ts        why is it not read?   explain.ts
 *     is it a copy?            identity/copies.ts           log and metrics       files/events.ts
 */

export function createTailSource(options: TailSourceOptions): TailSource {
  return new FileTailSource(options);
}

export interface TailSource extends Source {
  /**
   * Scans now; resolves when all files that were found are matched, and the streams with a turn are opened.
   */
  scan(): Promise<void>;
  explain(path: string, asker?: ExplainAsker): Promise<Explanation>;
  status(): TailStatus;
  /** The records that were read in this run and are accepted. Each record is counted once. */
  accepted(): Amount;
  /** Its streams end, and a new stream reads the file from its beginning. Returns the number of ended streams. */
  forget(path: string): Promise<number>;
  /** For --once: files that should have been read, and were not read or not to their end. */
  left(): readonly LeftFile[];
  /** The number of bytes that were gone before they could be read, as far as this run has found it. */
  lostBytes(): number;
  /**
   * Called after the publisher has stopped: saves the last checkpoints and closes all files. Safe to call
   * twice.
   */
  close(): Promise<void>;
}

const LIMITS: TailLimits = { openFiles: 512, deletedBytes: 1024 ** 3, pollMs: 10_000 };

class FileTailSource implements TailSource, StreamOwner<FileStream> {
  readonly name = 'tail';
  readonly #options: TailSourceOptions;
  readonly #limits: TailLimits;
  readonly #clock: Clock;
  readonly #events: TailEvents;
  readonly #patterns: PathPatterns;
  readonly #state: TailState;
  readonly #files = new FollowedFiles();
  readonly #order = new GenerationOrder();
  readonly #encodings = new DetectedEncodings();
  readonly #entryParts = new Map<TailEntry, EntryParts>();
  readonly #openFiles: OpenFiles;
  readonly #unread: UnreadFiles;
  readonly #archives: Archiving | undefined;
  readonly #scanner: FileScanner;
  readonly #trigger: ScanTrigger;
  readonly #quiet: QuietCheck;
  readonly #turns: StreamTurns;
  readonly #decisions = new SerialQueue();
  #isRunning = false;
  #isStarted = false;
  #whenDrained: (() => void)[] = [];

  constructor(options: TailSourceOptions) {
    const { clock, store } = options;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#clock = clock;
    this.#events = openTailEvents({ logger: options.logger, metrics: options.metrics });
    this.#patterns = new PathPatterns(options.entries, this.#workingDirectory);
    this.#openFiles = new OpenFiles(this.#limits.openFiles);
    this.#unread = new UnreadFiles(this.#events);
    const isOffline = options.isOffline === true;
    this.#state = new TailState({ store, files: this.#files, clock, events: this.#events, isOffline });
    this.#turns = this.#createTurns();
    this.#archives = this.#createArchives();
    this.#scanner = this.#createScanner();
    this.#quiet = this.#createQuietCheck();
    this.#trigger = new ScanTrigger({
      ...{ files: this.#files, patterns: this.#patterns, clock, events: this.#events },
      pollMs: this.#limits.pollMs,
      scan: (reason) => void (reason === 'poll' ? this.#poll() : this.scan()),
    });
  }

  async start(sink: StreamSink): Promise<void> {
    this.#turns.start(sink);
    this.#isRunning = true;
    this.#state.load();
    await this.#decisions.run(() => this.#scanNow());
    this.#isStarted = true;
    this.#resolveDrained();
  }

  async stop(_deadline: AbortSignal): Promise<void> {
    this.#isRunning = false;
    this.#trigger.stop();
    this.#turns.stop();
    await this.#decisions.run(() => Promise.resolve());
    if (this.#isStarted) await this.#state.save();
  }

  async close(): Promise<void> {
    this.#isRunning = false;
    await this.#decisions.run(() => Promise.resolve());
    for (const stream of this.#files.streams.values()) await stream.close();
    await this.#openFiles.closeAll();
    if (this.#isStarted) await this.#state.saveCheckpoints();
    await this.#archives?.ledger.flush();
    this.#state.checkpoints.close();
    this.#archives?.ledger.close();
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenDrained.push(resolve);
      if (this.#isStarted) this.#resolveDrained();
    });
  }

  scan(): Promise<void> {
    return this.#decide(async () => {
      if (this.#canScan) await this.#scanNow();
    });
  }

  explain(path: string, asker: ExplainAsker = 'owner'): Promise<Explanation> {
    return explain(path, {
      asker,
      ...{ files: this.#files, patterns: this.#patterns, unread: this.#unread, order: this.#order },
      ...{ clock: this.#clock, workingDirectory: this.#workingDirectory },
    });
  }

  forget(path: string): Promise<number> {
    return this.#decisions.run(() => this.#forgetNow(path));
  }

  status(): TailStatus {
    return tailStatus(this.#files, this.#state.lostBytes);
  }

  accepted(): Amount {
    const streams = Array.from(this.#files.streams.values(), ({ content }) => content.acceptedReads);
    return plus(this.#turns.acceptedBefore, sumOf(streams));
  }

  left(): readonly LeftFile[] {
    return leftFiles(this.#files, this.#unread);
  }

  lostBytes(): number {
    return this.#events.allLostBytes();
  }

  // Signals of the streams.

  contentLost(stream: FileStream): void {
    if (!this.#files.isAttached(stream)) return;
    stream.doubt();
    if (this.#options.once) void this.#decide(() => this.#endLost(stream));
    else this.#trigger.request();
  }

  unreadable(stream: FileStream): void {
    this.#unread.noteUnreadable(stream.path);
    this.#resolveDrained();
  }

  diverged(stream: FileStream): void {
    void this.#decide(() => this.#turns.replace(stream));
  }

  changed(stream: FileStream): void {
    if (!this.#files.streams.has(stream.id)) return;
    this.#state.checkpoints.change(stream.id, () => stream.checkpoint());
  }

  save(stream: FileStream): Promise<boolean> {
    this.changed(stream);
    return this.#state.saveCheckpoints();
  }

  progressed(stream: FileStream): void {
    this.#turns.progressed(stream);
    this.#resolveDrained();
  }

  wake(stream: FileStream): void {
    this.#turns.wake(stream);
  }

  // Decisions, one after the other.

  get #canScan(): boolean {
    return this.#isRunning && !this.#options.once;
  }

  #decide(decision: () => Promise<void>): Promise<void> {
    return this.#decisions.run(decision).catch((error: unknown) => this.#events.scanFailed({ err: error }));
  }

  async #scanNow(): Promise<void> {
    const { once } = this.#options;
    if (!once) this.#trigger.began();
    const beganMs = this.#clock.monotonicMs();
    await this.#quiet.began();
    const found = await this.#scanner.scan({ isFirstEver: this.#state.isFirstEver });
    await this.#state.recordScan(this.#scanner.undecidedSinceUnixMs);
    this.#endBeyondDeletedLimit();
    this.#state.ageDormant();
    await this.#turns.openNext();
    const ms = this.#clock.monotonicMs() - beganMs;
    if (!once) this.#trigger.ended(found, ms);
    this.#quiet.ended(found);
    const followed = this.#files.attached().length;
    this.#events.scanned({ followed, open: this.#openFiles.size, ms });
  }

  /** Scans, unless it is shown that a scan would find nothing. */
  #poll(): Promise<void> {
    return this.#decide(async () => {
      if (!this.#canScan) return;
      // First: polls continue also if this one fails.
      this.#trigger.polled();
      if (!(await this.#quiet.isEnough())) return this.#scanNow();
      await this.#state.recordScan();
      this.#state.ageDormant();
    });
  }

  /** The checkpoints are removed on disk before the new stream is opened. */
  async #forgetNow(path: string): Promise<number> {
    const { dormant } = this.#files;
    const streams = this.#files.attached().filter((stream) => isStreamAt(stream.place, path));
    const ended = [...dormant.values()].filter(({ checkpoint }) => isStreamAt(checkpoint, path));
    for (const stream of streams) this.#turns.forget(stream);
    for (const { id } of ended) {
      dormant.delete(id);
      this.#state.checkpoints.remove(id);
    }
    if (!(await this.#state.saveCheckpoints())) throw new HttpError(503, 'unavailable', notStored(path));
    if (streams.length > 0 && this.#isRunning) await this.#scanNow();
    return streams.length + ended.length;
  }

  #endBeyondDeletedLimit(): void {
    for (const stream of streamsBeyondDeletedLimit(this.#files.attached(), this.#limits.deletedBytes)) {
      const { id, path, position, sizeBytes } = stream;
      const lostBytes = sizeBytes - position;
      this.#events.discarded({ stream: id, path, position, lostBytes });
      stream.end(lostBytes);
    }
  }

  async #endLost(stream: FileStream): Promise<void> {
    this.#scanner.endLost(stream);
    await this.#turns.openNext();
  }

  #resolveDrained(): void {
    if (!this.#isStarted || this.#whenDrained.length === 0) return;
    for (const stream of this.#files.streams.values()) if (!this.#isDrained(stream)) return;
    for (const resolve of this.#whenDrained.splice(0)) resolve();
  }

  #isDrained(stream: FileStream): boolean {
    if (stream.isDiverged) return false;
    // A rejected stream is tried again every hour. A run with --once does not wait for that.
    if (this.#options.once && stream.refusal !== undefined) return true;
    if (stream.accepted < stream.position) return false;
    return stream.isEnded || (stream.isOpened && stream.content.isDrained);
  }

  /** False when a later scan must decide about something, or when a file could not be read. */
  get #isSettled(): boolean {
    if (!this.#scanner.isSettled || this.#turns.isAnyDraining() || this.#order.isAnyWaiting()) return false;
    const [missed] = this.#unread.missed();
    return missed === undefined && this.#files.missing().length === 0;
  }

  // Parts.

  get #workingDirectory(): string {
    return this.#options.workingDirectory ?? process.cwd();
  }

  #createTurns(): StreamTurns {
    return new StreamTurns({
      ...{ files: this.#files, order: this.#order, state: this.#state },
      ...{ clock: this.#clock, events: this.#events },
      createStream: (stream) => this.#createStream(stream),
      decide: (decision) => this.#decide(decision),
      scan: () => (this.#canScan ? () => this.#scanNow() : undefined),
      onLost: (stream) => this.contentLost(stream),
      onChange: () => this.#resolveDrained(),
    });
  }

  #createScanner(): FileScanner {
    const { isOffline } = this.#options;
    const sinceUnixMs = this.#state.lastScanUnixMs;
    const parts = {
      archives: this.#archives && { ...this.#archives, sinceUnixMs, isOnce: this.#options.once },
      ...{ files: this.#files, order: this.#order, openFiles: this.#openFiles, unread: this.#unread },
      ...{ checkpoints: this.#state.checkpoints, clock: this.#clock, events: this.#events },
      createStream: (stream: NewStream) => this.#createStream(stream),
      openReady: () => this.#turns.openNext(),
    };
    const reporting = { isEnabled: isOffline !== true, sinceUnixMs };
    return new FileScanner(this.#patterns, parts, reporting);
  }

  #createQuietCheck(): QuietCheck {
    return new QuietCheck({
      ...{ files: this.#files, localDevices: this.#openFiles.localDevices, clock: this.#clock },
      isSettled: () => this.#isSettled,
      compare: (stream) => this.#scanner.compareFollowed(stream),
    });
  }

  /** Undefined: compressed files are not read. */
  #createArchives(): Archiving | undefined {
    const { isOffline, stateDirectory: directory, store } = this.#options;
    if (directory === undefined || isOffline === true) return undefined;
    const onFailure = (err: Error) => this.#events.checkpointsFailed({ err });
    return {
      ledger: new ArchiveLedger({ store, clock: this.#clock, onFailure }),
      room: new InflationRoom({ directory, maxBytes: this.#limits.deletedBytes }),
    };
  }

  #createStream(parts: NewStream): FileStream {
    const { entry, sizeBytes } = parts;
    const streamParts = {
      ...parts,
      ...this.#partsOf(entry),
      encodings: this.#encodings,
      ...{ clock: this.#clock, events: this.#events },
      ...(this.#options.once ? { limit: sizeBytes } : {}),
    };
    return new FileStream(streamParts, this);
  }

  /** Shared by all streams of the entry, because there may be many. */
  #partsOf(entry: TailEntry): EntryParts {
    const known = this.#entryParts.get(entry);
    if (known !== undefined) return known;
    const { resource } = this.#options;
    const parts: EntryParts = {
      resourceAt: ({ path, target }, format) =>
        new Map([
          ...[...localZone(format), ...containerOfPath(format, [path, target])],
          ...[...resource, ...entry.resource],
          ['log.file.path', path],
        ]),
      cutterOf: (encoding) => cutterFor(entry.multiline, entry.format, encoding),
    };
    this.#entryParts.set(entry, parts);
    return parts;
  }
}

type EntryParts = Pick<FileStreamParts, 'resourceAt' | 'cutterOf'>;

interface Archiving {
  readonly ledger: ArchiveLedger;
  readonly room: InflationRoom;
}

function notStored(path: string): string {
  return `Cannot forget ${path} on disk: the state directory cannot be written. The log of the collector has the reason.`;
}
