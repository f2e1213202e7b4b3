import type { Position } from '../../../../records/position.ts';
import type { StreamId } from '../../../../records/stream-id.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import type { KnownToAggregator, ResumeDecision, SourceStream, StreamRead } from '../../../source.ts';
import type { FileAccess, FilePlace, FileState } from '../files/file-access.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import type { TailEntry } from '../files/tail-configuration.ts';
import { FilePresence } from './file-presence.ts';
import type { FileStreamParts } from './file-stream-parts.ts';
import { type SizeAt, StreamContent } from './stream-content.ts';
import { StreamEncoding } from './stream-encoding.ts';
import { StreamFormat } from './stream-format.ts';
import { StreamPhase } from './stream-phase.ts';
import { SignalsOf, type StreamOwner, type StreamSignals } from './stream-signals.ts';

/**
 * One generation of one file, as the publisher reads it. Its bytes are in `StreamContent`.
 *
 * The stream has four states, which are independent of each other. Each transition is a method:
 *
 *     transition                 method         called by
 *
 *     phase: how far the stream is (StreamPhase)
 *     queued -> open             open           StreamTurns: its turn has come
 *     open -> held back          holdBack       GenerationOrder: an older generation was found late, and no
 *                                               byte of this one was read
 *     held back -> open          open           StreamTurns: its turn has come again
 *     any -> ended               end            FileScanner: no file has its bytes any more
 *                                               FileMatcher: a new stream reads its file
 *                                               StreamTurns: all of it is accepted, and its file is finished
 *                                               TailSource: too many bytes of deleted files are held
 *     not ended -> diverged      resume, read   itself: the aggregator has other bytes under its id. The
 *                                               stream is replaced by `StreamTurns`
 *
 *     turn: whether the next generation waits for this one (StreamPhase)
 *     kept -> handed over        handOver       StreamTurns, when `checkDrained` permits it. Final, and saved
 *
 *     presence: under which name the file exists (FilePresence)
 *     any -> matched             foundAt        FileScanner: the file has a path that is read
 *     any -> matched             continueIn     FileMatcher: another file has the bytes
 *     matched -> moved away      markMovedAway  FileScanner: the file has a name that is not read
 *     any -> deleted             markDeleted    FileScanner, `checkDrained`: the file has no name
 *
 *     doubt: whether the file must be compared although its size is unchanged
 *     trusted -> in doubt        doubt          TailSource: a read found other bytes
 *     in doubt -> trusted        confirm        FileScanner: the bytes are equal
 *     in doubt -> trusted        continueIn     FileMatcher: another file has the bytes
 */
export class FileStream implements SourceStream {
  readonly id: StreamId;
  /** The path where the file was seen first. */
  readonly home: string;
  /** The path of which the file is a generation: `home`, or the path from which a rotation made `home`. */
  readonly lineage: string;
  readonly start: Position;
  /** The number of accepted bytes of the streams that this one has replaced. */
  readonly acceptedBefore: number;
  readonly entry: TailEntry;
  readonly content: StreamContent;
  readonly presence: FilePresence;
  readonly #phase: StreamPhase;
  readonly #signals: StreamSignals;
  readonly #clock: Clock;
  #displacedSeen: SizeAt | undefined;
  #modifiedUnixMs: number;
  #isInDoubt = false;
  #isSuperseded: boolean;
  #refusal: string | undefined;
  #lostBytes = 0;

  constructor(parts: FileStreamParts, owner: StreamOwner<FileStream>) {
    const { id, checkpoint, clock, entry } = parts;
    const { home, lineage } = checkpoint;
    this.id = id;
    this.home = home;
    this.lineage = lineage;
    this.start = checkpoint.start;
    this.acceptedBefore = checkpoint.acceptedBefore ?? 0;
    this.entry = entry;
    this.#clock = clock;
    this.#signals = new SignalsOf(this, owner);
    this.#phase = new StreamPhase(checkpoint.yielded);
    this.#isSuperseded = checkpoint.superseded === true;
    this.#modifiedUnixMs = parts.modifiedUnixMs;
    this.presence = new FilePresence(this, this.#signals);
    this.content = new StreamContent({
      ...parts,
      format: new StreamFormat(entry.format, checkpoint),
      encoding: new StreamEncoding(entry, checkpoint, parts.encodings),
      presence: this.presence,
      phase: this.#phase,
      signals: this.#signals,
      diverge: () => this.#diverge(),
    });
  }

  get accepted(): Position {
    return this.content.marks.accepted[0];
  }

  /** The end of the bytes that were handed to the publisher. */
  get position(): Position {
    return this.content.marks.read[0];
  }

  get sizeBytes(): number {
    return this.content.sizeBytes;
  }

  get file(): FileAccess {
    return this.content.file.access;
  }

  get place(): FilePlace {
    return this.file.place;
  }

  get path(): string {
    return this.place.path;
  }

  /** When the file was created, as far as that is known. */
  get birth(): string | undefined {
    return this.content.file.birth;
  }

  /** The time of the last write, as the last scan found it. */
  get modifiedUnixMs(): number {
    return this.#modifiedUnixMs;
  }

  /** The publisher knows the stream. It stays true after the end. */
  get isOpened(): boolean {
    return this.#phase.isOpened;
  }

  get isHeldBack(): boolean {
    return this.#phase.isHeldBack;
  }

  /** No more bytes are read. Those that were read may be accepted or not. */
  get isEnded(): boolean {
    return this.#phase.isEnded;
  }

  get isDiverged(): boolean {
    return this.#phase.isDiverged;
  }

  get isHandedOver(): boolean {
    return this.#phase.isHandedOver;
  }

  /** The next scan compares the bytes, even if the size has not changed. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** After the end: the number of bytes that were lost before they could be read. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  get refusal(): string | undefined {
    return this.#refusal;
  }

  checkpoint(): FileCheckpoint {
    const { presence, home, lineage, start, acceptedBefore } = this;
    const isDeleted = presence.deletedSinceMs !== undefined || presence.pathWasAbsent;
    return {
      ...{ ...this.place, home, lineage, start, ...this.content.checkpoint },
      ...(acceptedBefore === 0 ? {} : { acceptedBefore }),
      modifiedUnixMs: this.#modifiedUnixMs,
      ...(isDeleted ? { deleted: true } : {}),
      ...(this.#isSuperseded ? { superseded: true } : {}),
      yielded: this.isHandedOver,
      copyOf: null,
      absentMs: 0,
    };
  }

  /**
   * A checkpoint at the end of what was read, accepted or not: the bytes that another file must have to
   * continue it.
   */
  checkpointOfRead(): FileCheckpoint {
    return { ...this.checkpoint(), marks: [this.content.marks.read] };
  }

  // The publisher calls these.

  async resume(known: KnownToAggregator): Promise<ResumeDecision> {
    this.#refusal = undefined;
    if (await this.content.resume(known)) return { kind: 'continue', from: this.accepted };
    this.#diverge();
    return { kind: 'ended' };
  }

  read(from: Position, buffer: Buffer): Promise<StreamRead> {
    return this.content.read(from, buffer);
  }

  accept(end: Position): void {
    if (!this.content.accept(end)) return;
    this.#signals.changed();
    this.#signals.progressed();
  }

  refuse(reason: string): void {
    this.#refusal = reason;
    this.#signals.progressed();
  }

  // Turns.

  /** Called when the checkpoint is on disk. */
  open(): void {
    this.content.noteStored();
    const wasHeldBack = this.isHeldBack;
    this.#phase.open();
    if (wasHeldBack) this.wake();
  }

  /** An older generation is read first. False when bytes were handed out already. */
  holdBack(): boolean {
    if (this.position === this.start) this.#phase.holdBack();
    return this.isHeldBack;
  }

  handOver(): void {
    if (this.#phase.handOver()) this.#signals.changed();
  }

  /** The next generation waits for the bytes that were there when its wait began. */
  waitStart(): SizeAt {
    if (!this.presence.isDisplaced) return this.content.firstSeen;
    this.#displacedSeen ??= { sizeBytes: this.sizeBytes, atMs: this.#clock.monotonicMs() };
    return this.#displacedSeen;
  }

  /** `lostBytes`: the number of its bytes that are gone and were not read. */
  end(lostBytes = 0): void {
    this.#lostBytes = lostBytes;
    this.#phase.end();
    void this.close();
    this.#signals.wake();
  }

  close(): Promise<void> {
    this.content.stop();
    this.file.unpin();
    return this.file.close();
  }

  // The file.

  wake(): void {
    this.content.wake();
  }

  state(): Promise<FileState | undefined> {
    return this.file.state();
  }

  recordModified(modifiedUnixMs: number): void {
    this.#modifiedUnixMs = modifiedUnixMs;
  }

  doubt(): void {
    this.#isInDoubt = true;
  }

  /** The file has changed, and was found to have the bytes that were read. */
  confirm(sizeBytes: number): void {
    this.#isInDoubt = false;
    this.content.recordSize(sizeBytes);
    this.wake();
  }

  /** The file has other bytes now, which another stream reads. */
  supersede(): void {
    this.#isSuperseded = true;
    this.#signals.changed();
  }

  /** The bytes continue in another file. */
  continueIn(file: FileAccess, found: FileFacts): void {
    const { sizeBytes, modifiedUnixMs, birth } = found;
    this.content.continueIn(file, birth);
    this.presence.reset();
    this.#modifiedUnixMs = modifiedUnixMs;
    this.#isSuperseded = false;
    this.confirm(sizeBytes);
    this.#signals.changed();
  }

  #diverge(): void {
    if (!this.#phase.diverge()) return;
    this.content.stop();
    this.#signals.diverged();
  }
}

interface FileFacts {
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
  readonly birth: string | undefined;
}
