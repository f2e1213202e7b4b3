import { extname } from 'node:path';
import { checkOf } from '../../../../records/check.ts';
import { mintStreamId, type StreamId } from '../../../../records/stream-id.ts';
import { groupBy } from '../../../../runtime/group-by.ts';
import type { Checkpoints } from '../../../checkpoints.ts';
import type { TailEvents } from '../files/events.ts';
import type { FileAccess } from '../files/file-access.ts';
import {
  acceptedBytesOf,
  checkpointOf,
  type FileCheckpoint,
  type PositionMark,
} from '../files/file-checkpoint.ts';
import { readCheck } from '../files/read-bytes.ts';
import { rotatedFrom } from '../files/rotation-names.ts';
import type { TailEntry } from '../files/tail-configuration.ts';
import type { FileStream } from '../reading/file-stream.ts';
import type { DormantStream } from './dormant-streams.ts';
import { findLoneFiles } from './find-lone-files.ts';
import type { Recoverable } from './find-recoverable.ts';
import type { FollowedFiles } from './followed-files.ts';
import type { GenerationOrder } from './generation-order.ts';
import type { OpenCandidate, UnreadFile } from './open-candidate.ts';
import { isSameInode } from './same-file.ts';
import type { StreamsByName } from './streams-by-name.ts';

/** Starts the streams that `FileMatcher` has decided, and gives them their place in the order of generations. */
export class StreamStarter {
  readonly #parts: StreamStarterParts;
  readonly #files: FollowedFiles;
  readonly #order: GenerationOrder;
  readonly #events: TailEvents;
  /** Streams without a place in the order of generations, in the order in which they were found. */
  #waiting: FileStream[] = [];
  readonly #newStreamPaths = new Set<string>();
  #started = 0;

  constructor(parts: StreamStarterParts) {
    this.#parts = parts;
    this.#files = parts.files;
    this.#order = parts.order;
    this.#events = parts.events;
  }

  /** The number of streams that were started or resumed. */
  get started(): number {
    return this.#started;
  }

  /**
   * Adds the new streams to the order of generations. Called when no stream is lost: names may change until
   * then.
   */
  orderStarted(): void {
    for (const stream of this.#waiting) this.#orderOne(stream);
    this.#waiting = [];
    this.#newStreamPaths.clear();
  }

  /** Opens new streams whose file is the only one of its name: no older generation of it can be found. */
  async openReady(): Promise<void> {
    if (this.#files.lost.size > 0 || this.#waiting.length === 0) return;
    const ready = await findLoneFiles(this.#waiting.map(({ path }) => path));
    const waiting = groupBy(this.#waiting, ({ lineage }) => lineage);
    const isAlone = ({ lineage }: FileStream) =>
      waiting.get(lineage)?.length === 1 && this.#order.last(lineage) === undefined;
    const isReady = (stream: FileStream) =>
      stream.path === stream.home && ready.has(stream.path) && isAlone(stream);
    for (const stream of this.#waiting.filter(isReady)) this.#orderOne(stream);
    this.#waiting = this.#waiting.filter((stream) => !isReady(stream));
    await this.#parts.openReady();
  }

  /** A dormant stream continues in this file. */
  resumeDormant(
    { id, checkpoint }: Pick<DormantStream, 'id' | 'checkpoint'>,
    parts: Omit<NewStream, 'id' | 'checkpoint'>,
  ): FileStream {
    this.#files.dormant.delete(id);
    const stream = this.#parts.createStream({ id, checkpoint, ...parts });
    this.#start(stream);
    this.#events.resumed({ stream: id, path: stream.path, position: stream.accepted });
    return stream;
  }

  async startNew(
    opened: OpenUnreadFile,
    { present, isFirstEver }: { readonly present: ReadonlySet<string>; readonly isFirstEver: boolean },
  ): Promise<void> {
    const { candidate, found } = opened;
    const lineage = this.#lineageOf(found.path, present);
    const atEnd = isFirstEver && found.entry.startAt === 'end';
    const mark = atEnd ? await endOf(candidate) : BEGINNING;
    const id = mintStreamId();
    this.startWith(id, checkpointOf(candidate, { lineage, mark, copyOf: null }), opened);
    this.#events.began({ stream: id, path: found.path, position: mark[0] });
  }

  /**
   * A generation that was renamed to a name that is not read, before a scan has seen it. `home` is the path at
   * which it was written.
   */
  startMovedAway(
    opened: OpenUnreadFile,
    { home, lineage }: { readonly home: string; readonly lineage: string },
  ): FileStream {
    const checkpoint = checkpointOf(opened.candidate, { lineage, mark: BEGINNING, copyOf: null });
    const id = mintStreamId();
    const stream = this.startWith(id, { ...checkpoint, home }, opened);
    stream.presence.markMovedAway();
    this.#events.foundMovedAway({ stream: id, path: opened.found.path, home });
    return stream;
  }

  recover({ same, known, mark }: Recoverable, opened: OpenUnreadFile): void {
    const id = mintStreamId();
    const replaced = same.kind === 'dormant' ? same.dormant.id : same.stream.id;
    const was = known.marks.at(-1)?.[0] ?? 0;
    if (same.kind === 'dormant') {
      this.#files.dormant.delete(replaced);
      this.#parts.checkpoints.remove(replaced);
    } else {
      this.#files.lost.delete(same.stream);
      this.#endRecovered(same.stream, opened.candidate.sizeBytes);
    }
    const first = checkpointOf(opened.candidate, { lineage: known.lineage, mark, copyOf: null });
    // The checkpoint of a dormant stream is removed. A stream that ends keeps its own.
    const checkpoint = same.kind === 'dormant' ? { ...first, acceptedBefore: acceptedBytesOf(known) } : first;
    this.startWith(id, withChecksumOf(known, checkpoint), opened);
    this.#events.recovered({ stream: id, path: opened.found.path, replaced, position: mark[0], was });
  }

  /** The new stream reads the bytes that the file has. The others are lost if they were not read. */
  #endRecovered(stream: FileStream, sizeBytes: number): void {
    const { id, path, position, content } = stream;
    const lostBytes = Math.max(0, content.end - Math.max(position, sizeBytes));
    if (lostBytes > 0) this.#events.lost({ stream: id, path, position, lostBytes });
    stream.end(lostBytes);
  }

  /** Starts a stream with this checkpoint. */
  startWith(id: StreamId, checkpoint: FileCheckpoint, opened: OpenUnreadFile): FileStream {
    const { found, file } = opened;
    this.#supersede(opened);
    const { entry, sizeBytes, modifiedUnixMs } = found;
    return this.start({ id, checkpoint, file, entry, sizeBytes, modifiedUnixMs });
  }

  /** Starts a stream of a file that is the file of no other stream. */
  start(parts: NewStream): FileStream {
    const stream = this.#parts.createStream(parts);
    this.#start(stream);
    return stream;
  }

  /** The file does not have the bytes any more that streams have read of it. */
  #supersede({ candidate }: OpenUnreadFile): void {
    for (const stream of this.#parts.missing().withInode(candidate.inode)) {
      if (isSameInode(stream.checkpoint(), candidate)) stream.supersede();
    }
    for (const dormant of this.#files.dormant.withInode(candidate.inode)) {
      const { id, checkpoint } = dormant;
      if (checkpoint.superseded === true || !isSameInode(checkpoint, candidate)) continue;
      const known = { ...checkpoint, superseded: true as const };
      dormant.update(known);
      this.#parts.checkpoints.change(id, () => known);
    }
  }

  #start(stream: FileStream): void {
    this.#started++;
    this.#waiting.push(stream);
    if (!stream.isHandedOver) this.#newStreamPaths.add(stream.lineage);
    this.#files.follow(stream);
    this.#parts.onStart(stream);
    this.#parts.checkpoints.change(stream.id, () => stream.checkpoint());
  }

  #orderOne(stream: FileStream): void {
    if (!stream.isHandedOver && !stream.isEnded) this.#order.add(stream);
  }

  /**
   * The path of which it is a generation: one path for `x.log.2` and `x.log.1`, two for `worker.2` and
   * `worker.1`.
   */
  #lineageOf(path: string, present: ReadonlySet<string>): string {
    const base = rotatedFrom(path);
    if (base === undefined) return path;
    const isKnown = present.has(base) || this.#isLineage(base) || extname(base) !== '';
    return isKnown ? base : path;
  }

  /** The path of which a file that was at this path is a generation. */
  lineageAt(path: string): string {
    return this.#lineageOf(path, new Set());
  }

  #isLineage(lineage: string): boolean {
    return this.#order.last(lineage) !== undefined || this.#newStreamPaths.has(lineage);
  }
}

/** The parts of a stream that the match decides. */
export interface NewStream {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
  readonly file: FileAccess;
  readonly entry: TailEntry;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
}

export interface StreamStarterParts {
  readonly files: FollowedFiles;
  readonly order: GenerationOrder;
  readonly checkpoints: Checkpoints<FileCheckpoint>;
  readonly createStream: (stream: NewStream) => FileStream;
  /** Opens the streams that have their turn, while other files are still matched. */
  readonly openReady: () => Promise<void>;
  readonly events: TailEvents;
  /** Streams whose file was truncated or deleted, as the scan has found them. */
  readonly missing: () => StreamsByName;
  readonly onStart: (stream: FileStream) => void;
}

/** An unread file that is open. */
export type OpenUnreadFile = UnreadFile & { readonly candidate: OpenCandidate };

const BEGINNING: PositionMark = [0, checkOf(Buffer.alloc(0)), 0];

async function endOf({ handle, sizeBytes }: OpenCandidate): Promise<PositionMark> {
  const check = await readCheck(handle, sizeBytes);
  return check === undefined ? BEGINNING : [sizeBytes, check];
}

/** The checksum of a mark needs the position where it begins. */
function withChecksumOf({ checksumFrom }: FileCheckpoint, checkpoint: FileCheckpoint): FileCheckpoint {
  const { checksumFrom: _fromMark, ...rest } = checkpoint;
  return checksumFrom === undefined ? rest : { ...rest, checksumFrom };
}
