import { type Amount, NOTHING, plus, sumOf } from '../../../records/amount.ts';
import type { Resource } from '../../../records/resource.ts';
import { mintStreamId, type StreamId } from '../../../records/stream-id.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Checkpoints } from '../../checkpoints.ts';
import { cutterFor } from '../../cutting/cutter-for.ts';
import type { StreamSink } from '../../source.ts';
import type { TailEvents } from '../tail/files/events.ts';
import type { FileAccess } from '../tail/files/file-access.ts';
import { acceptedBytesOf, type FileCheckpoint } from '../tail/files/file-checkpoint.ts';
import { fileKey } from '../tail/identity/followed-files.ts';
import { localZone } from '../tail/local-zone.ts';
import type { RecordPlace } from '../tail/reading/batch-builder.ts';
import { FileStream } from '../tail/reading/file-stream.ts';
import type { StreamOwner } from '../tail/reading/stream-signals.ts';
import type { HarvestEvents } from './events.ts';
import type { Upload } from './find-uploads.ts';

/** An upload that is being read. */
export interface UploadStream {
  readonly upload: Upload;
  readonly stream: FileStream;
}

/**
 * The uploads that are being read. Each is a stream of the tail, which reads up to the size that the complete file has.
 * The checkpoint of a stream is on disk before the publisher sees the stream.
 */
export class UploadStreams implements StreamOwner<FileStream> {
  readonly streams = new Map<StreamId, FileStream>();
  readonly #options: UploadStreamsOptions;
  readonly #byFile = new Map<string, UploadStream>();
  readonly #byStream = new Map<StreamId, UploadStream>();
  #sink: StreamSink | undefined;
  #acceptedBefore: Amount = NOTHING;

  constructor(options: UploadStreamsOptions) {
    this.#options = options;
  }

  start(sink: StreamSink): void {
    this.#sink = sink;
  }

  get size(): number {
    return this.streams.size;
  }

  /** Without those that the aggregator has rejected. */
  get busy(): number {
    return Array.from(this.streams.values()).filter(({ refusal }) => refusal === undefined).length;
  }

  /** The records that were read in this run and are accepted. */
  get accepted(): Amount {
    const active = Array.from(this.streams.values(), ({ content }) => content.acceptedReads);
    return plus(this.#acceptedBefore, sumOf(active));
  }

  of(upload: Upload): UploadStream | undefined {
    return this.#byFile.get(fileKey(upload));
  }

  values(): Iterable<UploadStream> {
    return this.#byStream.values();
  }

  /** The stream is opened by `open`, when its checkpoint is on disk. */
  add(upload: Upload, file: FileAccess, { id, checkpoint }: Identified): void {
    const stream = this.#create(upload, file, { id, checkpoint });
    this.#keep({ upload, stream });
    this.#options.events.began({ path: upload.path, stream: id, position: stream.accepted });
  }

  /** Decides the formats of the streams that are not open, before their checkpoints are written. */
  async decideFormats(): Promise<void> {
    for (const { stream } of this.#byStream.values())
      if (!stream.isOpened) await stream.content.decideFormat();
  }

  /** Opens the streams that are not open. */
  open(): void {
    for (const { stream } of this.#byStream.values()) if (!stream.isOpened) this.#open(stream);
  }

  /** Ends the stream and returns its last checkpoint. */
  end({ upload, stream }: UploadStream, lostBytes = 0): FileCheckpoint {
    this.#acceptedBefore = plus(this.#acceptedBefore, stream.content.acceptedReads);
    this.#forget({ upload, stream });
    const checkpoint = stream.checkpoint();
    stream.end(lostBytes);
    return checkpoint;
  }

  async close(): Promise<void> {
    for (const stream of this.streams.values()) await stream.close();
  }

  // Signals of the streams.

  contentLost(stream: FileStream): void {
    this.#report(stream, this.#options.onLost);
  }

  unreadable(stream: FileStream): void {
    this.#report(stream, this.#options.onUnreadable);
  }

  diverged(stream: FileStream): void {
    this.#report(stream, (active) => this.#replace(active));
  }

  changed(stream: FileStream): void {
    if (this.streams.has(stream.id)) this.#options.checkpoints.change(stream.id, () => stream.checkpoint());
  }

  async save(stream: FileStream): Promise<boolean> {
    const { checkpoints, events } = this.#options;
    this.changed(stream);
    try {
      await checkpoints.flush();
      return true;
    } catch (err) {
      events.checkpointsFailed({ err });
      return false;
    }
  }

  progressed(stream: FileStream): void {
    this.#report(stream, this.#options.onProgress);
  }

  wake(stream: FileStream): void {
    if (stream.isOpened) this.#sink?.wake(stream.id);
  }

  #report(stream: FileStream, report: (active: UploadStream) => void): void {
    const active = this.#byStream.get(stream.id);
    if (active?.stream === stream) report(active);
  }

  /** The aggregator has other bytes under the id: a new stream continues at the own checkpoint. */
  #replace({ upload, stream }: UploadStream): void {
    const { holes: _holes, ...known } = stream.checkpoint();
    const mark = known.marks.at(-1);
    if (mark === undefined) return;
    const { id, file, path } = stream;
    const replacement = mintStreamId();
    this.#acceptedBefore = plus(this.#acceptedBefore, stream.content.acceptedReads);
    this.#forget({ upload, stream });
    this.#options.checkpoints.remove(id);
    const checkpoint = { ...known, start: mark[0], marks: [mark], acceptedBefore: acceptedBytesOf(known) };
    this.#keep({ upload, stream: this.#create(upload, file, { id: replacement, checkpoint }) });
    this.#options.events.diverged({ path, stream: id, position: mark[0], replacement });
    this.#sink?.close(id);
    this.#options.onReplaced();
  }

  #keep(active: UploadStream): void {
    const { upload, stream } = active;
    this.streams.set(stream.id, stream);
    this.#byStream.set(stream.id, active);
    this.#byFile.set(fileKey(upload), active);
    this.#options.checkpoints.change(stream.id, () => stream.checkpoint());
  }

  #forget({ upload, stream }: UploadStream): void {
    this.streams.delete(stream.id);
    this.#byStream.delete(stream.id);
    this.#byFile.delete(fileKey(upload));
  }

  #open(stream: FileStream): void {
    stream.open();
    // An earlier upload of the same bytes may have left the stream to the publisher.
    this.#sink?.close(stream.id);
    this.#sink?.open(stream);
    // The file is complete: its last line needs no end.
    stream.content.flush();
  }

  #create(upload: Upload, file: FileAccess, { id, checkpoint }: Identified): FileStream {
    const { entry, sizeBytes, modifiedUnixMs } = upload;
    const { resource, clock, tailEvents } = this.#options;
    const { reading } = entry;
    const parts = {
      ...{ id, checkpoint, file, entry: reading, sizeBytes, modifiedUnixMs, limit: sizeBytes },
      resourceAt: ({ path }: RecordPlace, format: string) =>
        new Map([...localZone(format), ...resource, ...reading.resource, ['log.file.path', path]]),
      cutterOf: (encoding: string | undefined) => cutterFor(reading.multiline, reading.format, encoding),
      ...{ clock, events: tailEvents },
    };
    return new FileStream(parts, this);
  }
}

interface Identified {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
}

export interface UploadStreamsOptions {
  /** The attributes of all records of the collector. */
  readonly resource: Resource;
  readonly clock: Clock;
  readonly checkpoints: Checkpoints<FileCheckpoint>;
  readonly events: HarvestEvents;
  /** For the events of reading, which files that are followed have too. */
  readonly tailEvents: TailEvents;
  /** Records were accepted or rejected, or all was read. */
  readonly onProgress: (active: UploadStream) => void;
  /** The file has other bytes than those that were read, or is gone. */
  readonly onLost: (active: UploadStream) => void;
  readonly onUnreadable: (active: UploadStream) => void;
  /** A stream must be opened. */
  readonly onReplaced: () => void;
}
