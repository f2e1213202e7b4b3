import type { Amount } from '../../../records/amount.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import { SerialQueue } from '../../../runtime/async/serial-queue.ts';
import { Checkpoints } from '../../checkpoints.ts';
import type { LeftFile } from '../../one-shot-report.ts';
import type { ExplainAsker, Source, StreamSink } from '../../source.ts';
import { openTailEvents, type TailEvents } from '../tail/files/events.ts';
import type { FileCheckpoint } from '../tail/files/file-checkpoint.ts';
import { OpenFiles } from '../tail/files/open-files.ts';
import { type TailStatus, tailStatus } from '../tail/tail-status.ts';
import { Completeness } from './completeness.ts';
import { type HarvestEvents, openHarvestEvents } from './events.ts';
import { explainUpload, type UploadExplanation } from './explain-upload.ts';
import { type FoundUploads, findUploads } from './find-uploads.ts';
import type { HarvestSourceOptions } from './harvest-source-options.ts';
import { HarvestTrigger } from './harvest-trigger.ts';
import { KnownUploads, positionOf } from './known-uploads.ts';
import { Settlements } from './settlements.ts';
import { CHECKPOINT_TABLE } from './stored-uploads.ts';
import { UploadDecisions } from './upload-decisions.ts';
import { type UploadStream, UploadStreams } from './upload-streams.ts';

/*
 * The harvest source reads files that are uploaded into directories.
 *
 *     HarvestTrigger --> findUploads --> Completeness --> matchUpload --> UploadStreams --> sink --> Settlements
 *     when to scan       which files     which are        which were      the publisher              delete, move
 *                        are there       complete         read before     reads them                 or keep
 *
 * It reads with the parts of the tail: a stream, its evidence and its checkpoint are the same (`tail/reading`,
 * `tail/files`). The rules for files differ. The tail follows logs: rotations, generations and their order. An upload
 * has none of these. It is complete before it is read, it is identified by all its bytes, and it ends.
 *
 * A file is deleted or moved in this order, so that a crash at any point loses and repeats nothing:
 *
 *     all bytes accepted -> checkpoint on disk -> the file is unchanged -> deleted or moved
 *
 * After a crash before the last step, the checkpoint shows that all bytes are accepted: only the last step is repeated.
 * The checkpoint is kept, so that a second upload of the same bytes is recognized.
 */
export function createHarvestSource(options: HarvestSourceOptions): HarvestSource {
  return new FileHarvestSource(options);
}

export interface HarvestSource extends Source {
  /** Scans now; resolves when all uploads that were found are decided about. */
  scan(): Promise<void>;
  explain(path: string, asker?: ExplainAsker): Promise<UploadExplanation | undefined>;
  status(): TailStatus;
  accepted(): Amount;
  left(): readonly LeftFile[];
  lostBytes(): number;
  /** Called after the publisher has stopped. Safe to call twice. */
  close(): Promise<void>;
}

const POLL_MS = 10_000;
const OPEN_FILES = 128;
class FileHarvestSource implements HarvestSource {
  readonly name = 'harvest';
  readonly #options: HarvestSourceOptions;
  readonly #events: HarvestEvents;
  readonly #tailEvents: TailEvents;
  readonly #checkpoints: Checkpoints<FileCheckpoint>;
  readonly #known: KnownUploads;
  readonly #completeness: Completeness;
  readonly #settlements: Settlements;
  readonly #streams: UploadStreams;
  readonly #uploads: UploadDecisions;
  readonly #trigger: HarvestTrigger;
  readonly #openFiles = new OpenFiles(OPEN_FILES);
  readonly #decisions = new SerialQueue();
  #isRunning = false;
  #isStarted = false;
  #lastScanMs: number;
  #whenDrained: (() => void)[] = [];

  constructor(options: HarvestSourceOptions) {
    const { clock, store, logger, metrics, once } = options;
    this.#options = options;
    this.#events = openHarvestEvents({ logger, metrics, clock });
    this.#tailEvents = openTailEvents({ logger, metrics, source: 'harvest' });
    const onFailure = (err: Error) => this.#events.checkpointsFailed({ err });
    this.#checkpoints = new Checkpoints({ store, table: CHECKPOINT_TABLE, clock, onFailure });
    this.#known = new KnownUploads(this.#checkpoints);
    this.#completeness = new Completeness(clock, { trustsTimes: once });
    this.#settlements = new Settlements(clock, this.#events);
    this.#streams = this.#createStreams();
    this.#uploads = this.#createDecisions();
    this.#lastScanMs = clock.monotonicMs();
    this.#trigger = new HarvestTrigger({
      ...{ clock, once, pollMs: options.pollMs ?? POLL_MS },
      scan: () => void this.scan(),
      unwatched: (path, err) => this.#events.unwatched({ path, err }),
    });
  }

  async start(sink: StreamSink): Promise<void> {
    this.#streams.start(sink);
    this.#isRunning = true;
    this.#known.load();
    await this.#decisions.run(() => this.#scanNow());
    this.#isStarted = true;
    this.#resolveDrained();
  }

  async stop(_deadline: AbortSignal): Promise<void> {
    this.#isRunning = false;
    this.#trigger.stop();
    await this.#decisions.run(() => Promise.resolve());
    await this.#save();
  }

  async close(): Promise<void> {
    this.#isRunning = false;
    this.#trigger.stop();
    await this.#decisions.run(() => Promise.resolve());
    await this.#streams.close();
    await this.#openFiles.closeAll();
    if (this.#isStarted) await this.#save();
    this.#checkpoints.close();
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenDrained.push(resolve);
      this.#resolveDrained();
    });
  }

  scan(): Promise<void> {
    return this.#decide(() => this.#scanNow());
  }

  async explain(path: string, asker: ExplainAsker = 'owner'): Promise<UploadExplanation | undefined> {
    const { entries } = this.#options;
    const active = Array.from(this.#streams.values()).find(({ stream }) => stream.path === path);
    const reason = this.#uploads.reasonFor(path);
    return explainUpload(path, { asker, entries, stream: active?.stream, reason });
  }

  status(): TailStatus {
    return tailStatus({ streams: this.#streams.streams, dormant: this.#known.dormant }, this.lostBytes());
  }

  accepted(): Amount {
    return this.#streams.accepted;
  }

  left(): readonly LeftFile[] {
    const left = new Map<string, LeftFile>();
    for (const missed of this.#uploads.missed()) left.set(missed.path, missed);
    for (const { stream } of this.#streams.values()) {
      const { path, refusal, content } = stream;
      const bytes = content.leftBytes;
      const reason =
        refusal === undefined ? { reason: 'unread' as const } : { reason: 'refused' as const, refusal };
      if (bytes > 0) left.set(path, { path, bytes, ...reason });
    }
    return [...left.values()];
  }

  lostBytes(): number {
    return this.#tailEvents.allLostBytes();
  }

  // Decisions, one after the other.

  #decide(decision: () => Promise<void>): Promise<void> {
    const run = async () => {
      if (this.#isRunning) await decision();
    };
    return this.#decisions.run(run).catch((err: unknown) => this.#events.scanFailed({ err }));
  }

  async #scanNow(): Promise<void> {
    const found = await findUploads(this.#options.entries);
    this.#reportFound(found);
    const present = await this.#uploads.decide(found);
    this.#reportGone(found);
    await this.#openStreams();
    this.#age(present);
    const { dueInMs } = this.#completeness;
    this.#trigger.ended(found.directories, dueInMs);
    this.#resolveDrained();
  }

  #reportFound({ unreadable, nonUtf8Paths }: FoundUploads): void {
    for (const [path, err] of unreadable) this.#events.unlisted({ path, err });
    for (const path of nonUtf8Paths) this.#events.unnameable({ path });
  }

  /** Uploads that were read in part, and whose files are gone. */
  #reportGone({ uploads, directories }: FoundUploads): void {
    const paths = new Set(uploads.map(({ path }) => path));
    for (const { id, checkpoint } of [...this.#known.dormant.values()]) {
      const { path, finished, sizeBytes = 0 } = checkpoint;
      if (finished === true || paths.has(path) || directories.size === 0) continue;
      const position = positionOf({ checkpoint });
      const lostBytes = Math.max(0, sizeBytes - position);
      if (lostBytes > 0)
        this.#tailEvents.gone({
          stream: id,
          path,
          position,
          lostBytes,
          rotatedTo: undefined,
          state: 'missing',
        });
      this.#known.add(id, { ...checkpoint, finished: true, lostBytes });
    }
  }

  #age(present: ReadonlySet<StreamId>): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#known.age(nowMs - this.#lastScanMs, present);
    this.#lastScanMs = nowMs;
    this.#events.scanned({ incomplete: this.#uploads.waiting, reading: this.#streams.size });
  }

  async #openStreams(): Promise<void> {
    const isAnyNew = Array.from(this.#streams.values()).some(({ stream }) => !stream.isOpened);
    if (!isAnyNew) return;
    await this.#streams.decideFormats();
    if (await this.#save()) this.#streams.open();
  }

  // The ends of streams.

  async #finish(active: UploadStream): Promise<void> {
    const { upload, stream } = active;
    if (this.#streams.of(upload) !== active) return;
    if (stream.refusal !== undefined) return this.#finishRefused(active, stream.refusal);
    if (!isAccepted(active)) return this.#resolveDrained();
    const { id, accepted: position, path } = stream;
    this.#known.add(id, { ...this.#streams.end(active), finished: true });
    this.#events.accepted({ path, stream: id, position });
    await this.#uploads.settleAccepted(upload);
    this.#trigger.request();
    this.#resolveDrained();
  }

  async #finishRefused(active: UploadStream, refusal: string): Promise<void> {
    const { upload, stream } = active;
    if (upload.entry.errorDirectory === undefined) return this.#resolveDrained();
    this.#known.add(stream.id, { ...this.#streams.end(active), finished: true });
    if (await this.#save())
      await this.#settlements.reject(upload, 'refused', `the aggregator rejected it: ${refusal}`);
    this.#resolveDrained();
  }

  async #endLost(active: UploadStream): Promise<void> {
    const { upload, stream } = active;
    if (this.#streams.of(upload) !== active) return;
    const { id, path, position } = stream;
    const lostBytes = Math.max(0, stream.content.end - position);
    if (lostBytes > 0) this.#tailEvents.lost({ stream: id, path, position, lostBytes });
    this.#known.add(id, {
      ...this.#streams.end(active, lostBytes),
      finished: true,
      superseded: true,
      lostBytes,
    });
    this.#trigger.request();
    this.#resolveDrained();
  }

  #resolveDrained(): void {
    if (!this.#isStarted || this.#whenDrained.length === 0) return;
    if (this.#uploads.isAnyUndecided) return;
    for (const { stream } of this.#streams.values())
      if (!isDrained(stream.refusal, stream.file.failure)) return;
    for (const resolve of this.#whenDrained.splice(0)) resolve();
  }

  /** False when the checkpoints cannot be written now. */
  async #save(): Promise<boolean> {
    try {
      await this.#checkpoints.flush();
      return true;
    } catch (err) {
      this.#events.checkpointsFailed({ err });
      return false;
    }
  }

  #createDecisions(): UploadDecisions {
    return new UploadDecisions({
      ...{ completeness: this.#completeness, known: this.#known, streams: this.#streams },
      ...{ settlements: this.#settlements, openFiles: this.#openFiles, events: this.#events },
      once: this.#options.once,
      save: () => this.#save(),
      onCompare: () => this.#tailEvents.compared(),
    });
  }

  #createStreams(): UploadStreams {
    const { resource, clock } = this.#options;
    return new UploadStreams({
      ...{ resource, clock, checkpoints: this.#checkpoints },
      ...{ events: this.#events, tailEvents: this.#tailEvents },
      onProgress: (active) => {
        if (isAccepted(active) || active.stream.refusal !== undefined)
          void this.#decide(() => this.#finish(active));
      },
      onLost: (active) => void this.#decide(() => this.#endLost(active)),
      onUnreadable: () => void this.#decide(async () => this.#resolveDrained()),
      onReplaced: () => void this.#decide(() => this.#openStreams()),
    });
  }
}

/** NUL bytes at the end of a file are no records. */
function isAccepted({ upload, stream }: UploadStream): boolean {
  const { accepted, position, content } = stream;
  if (accepted >= upload.sizeBytes) return true;
  return content.isDrained && accepted >= position && accepted >= content.end;
}

/** A run with --once does not wait for a repair. */
function isDrained(refusal: string | undefined, failure: string | undefined): boolean {
  return refusal !== undefined || failure === 'unreadable';
}
