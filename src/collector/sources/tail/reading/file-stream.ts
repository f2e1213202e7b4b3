import type { Amount } from '../../../../records/amount.ts';
import type { Check } from '../../../../records/check.ts';
import { LIMITS } from '../../../../records/limits.ts';
import type { Position } from '../../../../records/position.ts';
import type { Resource } from '../../../../records/resource.ts';
import type { RunningChecksum } from '../../../../records/running-checksum.ts';
import type { StreamId } from '../../../../records/stream-id.ts';
import { Timer } from '../../../../runtime/async/timer.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import type { Cut, Cutter } from '../../../cutting/cutter.ts';
import { SizeHistory } from '../../../size-history.ts';
import type { KnownToAggregator, ResumeDecision, SourceStream, StreamRead } from '../../../source.ts';
import type { TailEvents } from '../files/events.ts';
import type { FileAccess, FilePlace, FileState } from '../files/file-access.ts';
import type { FileCheckpoint, PositionMark } from '../files/file-checkpoint.ts';
import type { PrefixHash } from '../files/file-prefix.ts';
import { originalPaths } from '../files/original-paths.ts';
import type { TailEntry } from '../files/tail-configuration.ts';
import { type KnownFile, VerifiedFile } from '../files/verified-file.ts';
import { AcceptedReads } from './accepted-reads.ts';
import { NulHoles } from './nul-holes.ts';
import { findNulRun } from './nul-runs.ts';
import type { PositionMarks } from './position-marks.ts';
import { type ReadPiece, StreamEvidence } from './stream-evidence.ts';

/** A last line without end, or a last record that may go on, is sent when the file has rested so long. */
const FLUSH_AFTER_IDLE_MS = 5_000;

const WAITING: StreamRead = { kind: 'waiting' };
const ENDED: StreamRead = { kind: 'ended' };

/** What a stream tells the one that decides what its file is. All of it returns at once. */
export interface FileStreamOwner {
  /** At its place are other bytes than those it has read, or none. */
  contentLost(stream: FileStream): void;
  /** Its file is there and cannot be read. */
  unreadable(stream: FileStream): void;
  /** The aggregator knows other bytes under its id: another stream has to go on in its place. */
  diverged(stream: FileStream): void;
  /** Its checkpoint has changed. */
  changed(stream: FileStream): void;
  /** It was read to the end of what is there now, or something of it was accepted. */
  progressed(stream: FileStream): void;
  /** It is to be read again. */
  wake(stream: FileStream): void;
}

export interface FileStreamParts {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
  readonly file: FileAccess;
  readonly sizeBytes: number;
  /** When the file was written last, by its own word. */
  readonly modifiedUnixMs: number;
  readonly entry: TailEntry;
  /** What the records carry that are read under this path. */
  readonly resourceAt: (path: string) => Resource;
  readonly cutter: Cutter;
  readonly owner: FileStreamOwner;
  readonly clock: Clock;
  readonly events: TailEvents;
  /** Reads no further than this, but for the end of a record that begins before it. */
  readonly limit?: Position;
}

/**
 * One generation of one file, as the publisher reads it. What is handed out has been proved to belong to it (see
 * `VerifiedFile`); where the proof fails, the owner decides what has become of the file, and the publisher waits.
 */
export class FileStream implements SourceStream {
  readonly id: StreamId;
  readonly home: string;
  readonly lineage: string;
  readonly start: Position;
  readonly entry: TailEntry;
  /** How large the file was when this object was made, and when that was, monotonic. */
  readonly firstSeen: { readonly sizeBytes: number; readonly atMs: number };
  /** How large it was when it was first seen under another name or none, and when that was, monotonic. */
  displacedSeen: { readonly sizeBytes: number; readonly atMs: number } | undefined;
  readonly #parts: FileStreamParts;
  readonly #clock: Clock;
  readonly #owner: FileStreamOwner;
  readonly #events: TailEvents;
  readonly #reads = new AcceptedReads();
  readonly #growth: SizeHistory;
  readonly #wakeTimer: Timer;
  #verified: VerifiedFile;
  #flushRest = false;
  readonly #holes: NulHoles;
  readonly #evidence: StreamEvidence;
  /** Where the record begins that is not finished at the limit. */
  #lastRecordAt: Position | undefined;
  #refusal: string | undefined;
  /** What the aggregator said at the beginning of the call, while the file could not be looked at. */
  #unverified: KnownToAggregator | undefined;
  #resource: { readonly path: string; readonly resource: Resource } | undefined;
  #unlinkedSinceMs: number | undefined;
  #pathWasAbsent = false;
  #superseded: boolean;
  #ended = false;
  #diverged = false;
  handedOver: boolean;
  /** The publisher may read. */
  opened = false;
  /** It is open, but an older generation goes first. */
  #heldBack = false;
  /** A read found other bytes than expected: the next look compares them, even if the size has not changed. */
  isInDoubt = false;
  /** Its file is known, but under no path that is to be read. */
  movedAway = false;
  /** Everything was read that was there, or that is to be read. */
  drained = false;
  /** The file's own word, as it was seen last. */
  modifiedUnixMs: number;

  constructor(parts: FileStreamParts) {
    const { checkpoint } = parts;
    this.id = parts.id;
    this.home = checkpoint.home;
    this.lineage = checkpoint.lineage;
    this.start = checkpoint.start;
    this.entry = parts.entry;
    this.handedOver = checkpoint.yielded;
    this.#superseded = checkpoint.superseded === true;
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#owner = parts.owner;
    this.#events = parts.events;
    this.#verified = this.#verify(parts.file, checkpoint);
    this.#wakeTimer = new Timer(parts.clock, () => this.wake());
    this.#holes = new NulHoles(parts.clock, checkpoint.holes);
    this.#evidence = new StreamEvidence({
      checkpoint,
      file: () => this.#verified,
      isEnded: () => this.#ended,
      onLost: () => this.#owner.contentLost(this),
      onChange: () => this.#owner.changed(this),
    });
    const idleMs = Math.max(0, Number(parts.clock.nowUnixNano() / 1_000_000n) - parts.modifiedUnixMs);
    this.#growth = new SizeHistory(parts.sizeBytes, parts.clock.monotonicMs() - idleMs);
    this.modifiedUnixMs = parts.modifiedUnixMs;
    this.firstSeen = { sizeBytes: parts.sizeBytes, atMs: parts.clock.monotonicMs() };
  }

  get #marks(): PositionMarks {
    return this.#evidence.marks;
  }

  get accepted(): Position {
    return this.#marks.accepted[0];
  }

  /** How far it was handed to the publisher. */
  get position(): Position {
    return this.#marks.read[0];
  }

  /** Of what was read in this run. */
  get acceptedReads(): Amount {
    return this.#reads.accepted;
  }

  get sizeBytes(): number {
    return this.#growth.sizeBytes;
  }

  /** The size of the file without the NUL bytes at its end. */
  get contentEnd(): Position {
    return this.#holes.contentEnd(this.sizeBytes);
  }

  /** Bytes that a run with a limit has still to read, or that are read and not accepted. */
  get leftBytes(): number {
    const end = this.#ended ? this.position : Math.min(this.#parts.limit ?? this.contentEnd, this.contentEnd);
    return Math.max(0, end - this.accepted);
  }

  get path(): string {
    return this.file.place.path;
  }

  get place(): FilePlace {
    return this.file.place;
  }

  /** Where the file itself is, when its path is a symbolic link. */
  get target(): string | undefined {
    return this.place.target;
  }

  get file(): FileAccess {
    return this.#verified.access;
  }

  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** No byte will come any more; what was read is accepted or not. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The aggregator means other bytes by its id; another stream is about to take its place. */
  get diverged(): boolean {
    return this.#diverged;
  }

  /** Its file stands under another name than at first: by that, it will get no more bytes soon. */
  get displaced(): boolean {
    return this.path !== this.home || this.movedAway || this.unlinkedSinceMs !== undefined;
  }

  /** When its file was found to be deleted, monotonic. */
  get unlinkedSinceMs(): number | undefined {
    return this.#unlinkedSinceMs;
  }

  set unlinkedSinceMs(sinceMs: number | undefined) {
    if (sinceMs === this.#unlinkedSinceMs) return;
    this.#unlinkedSinceMs = sinceMs;
    this.#owner.changed(this);
  }

  /** Its file was deleted, and for a time no other one was at its path: one that comes is another file. */
  get pathWasAbsent(): boolean {
    return this.#pathWasAbsent;
  }

  set pathWasAbsent(wasAbsent: boolean) {
    if (wasAbsent === this.#pathWasAbsent) return;
    this.#pathWasAbsent = wasAbsent;
    this.#owner.changed(this);
  }

  /** Its file has other bytes now, which another stream reads. */
  supersede(): void {
    this.#superseded = true;
    this.#owner.changed(this);
  }

  get idleMs(): number {
    return this.#growth.idleMs(this.#clock.monotonicMs());
  }

  get oldestUnacceptedMs(): number | undefined {
    if (this.accepted >= this.contentEnd) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const ageMs = this.#growth.remainderAgeMs(this.accepted, nowMs);
    // A file that was old when it was found is not late at once.
    return ageMs === undefined ? undefined : Math.min(ageMs, nowMs - this.firstSeen.atMs);
  }

  /** When its file was created, as far as that is known. */
  get birth(): string | undefined {
    return this.#verified.birth;
  }

  get prefix(): PrefixHash {
    return this.#verified.prefix;
  }

  checkpoint(): FileCheckpoint {
    const { checksumFrom } = this.#evidence;
    return {
      ...this.place,
      home: this.home,
      lineage: this.lineage,
      ...(this.#verified.birth === undefined ? {} : { birth: this.#verified.birth }),
      prefix: this.prefix,
      start: this.start,
      marks: this.#marks.kept,
      ...(checksumFrom === undefined ? {} : { checksumFrom }),
      ...(this.#holes.skipped.count === 0 ? {} : { holes: this.#holes.skipped }),
      sizeBytes: this.sizeBytes,
      modifiedUnixMs: this.modifiedUnixMs,
      ...(this.unlinkedSinceMs === undefined && !this.pathWasAbsent ? {} : { deleted: true }),
      ...(this.#superseded ? { superseded: true } : {}),
      yielded: this.handedOver,
      copyOf: null,
      absentMs: 0,
    };
  }

  /** The same for what was read, accepted or not: what another file must have for the stream to continue there. */
  evidence(): FileCheckpoint {
    return { ...this.checkpoint(), marks: [this.#marks.read] };
  }

  async resume(known: KnownToAggregator): Promise<ResumeDecision> {
    this.#refusal = undefined;
    this.#unverified = undefined;
    this.drained = false;
    await this.#evidence.begin();
    const result = known.end === 0 ? 'same' : await this.#evidence.compare(known);
    if (result === 'other') {
      this.#diverge();
      return { kind: 'ended' };
    }
    if (result === 'unknown') this.#unverified = known;
    const further = result === 'same' ? await this.#evidence.markAt(known) : undefined;
    this.#restart(further ?? this.#marks.accepted);
    return { kind: 'continue', from: this.accepted };
  }

  get heldBack(): boolean {
    return this.#heldBack;
  }

  /** Gives the turn to an older generation. False when bytes were handed out already. */
  holdBack(): boolean {
    this.#heldBack ||= this.position === this.start;
    return this.#heldBack;
  }

  /** Its turn has come again. */
  release(): void {
    this.#heldBack = false;
    this.wake();
  }

  async read(from: Position, buffer: Buffer): Promise<StreamRead> {
    if (this.#ended) return ENDED;
    if (this.#heldBack) return WAITING;
    if (this.#unverified !== undefined && !(await this.#verifyLate(this.#unverified))) {
      return this.#ended ? ENDED : WAITING;
    }
    const after = this.#holes.after(from);
    return this.#readAt(after?.end ?? from, after ?? { check: this.#marks.checkAt(from) }, buffer);
  }

  async #readAt(from: Position, known: KnownBefore, buffer: Buffer): Promise<StreamRead> {
    const room = this.#roomFor(from, buffer);
    if (room <= 0) return this.#atEnd(from);
    const bytes = await this.#verified.read(from, known.check, buffer.subarray(0, room));
    if (this.#ended) return ENDED;
    if (bytes === undefined || bytes === 'other') {
      if (bytes === undefined && this.file.failure === 'unreadable') this.#owner.unreadable(this);
      else this.#owner.contentLost(this);
      return WAITING;
    }
    if (from + bytes.length > this.sizeBytes) this.saw(from + bytes.length);
    const isEndOfFile = bytes.length < buffer.length;
    const run = this.#holes.mayBeSkippedAt(from) ? findNulRun(bytes) : undefined;
    const checksum = known.checksum ?? (await this.#evidence.checksumAt(from));
    if (this.#ended) return ENDED;
    // Nothing is awaited from here until the bytes are handed out.
    if (this.#heldBack) return WAITING;
    if (run?.start === 0) return this.#skip(from, checksum, buffer);
    if (run === undefined) return this.#cut({ from, bytes, isEndOfFile, checksum });
    // The line before the hole has no end and gets none, unless the NUL bytes are only the end of the file for now.
    const isInner = run.end < bytes.length || !isEndOfFile;
    const piece = { from, bytes: bytes.subarray(0, run.start), isEndOfFile: true, checksum };
    return this.#cut(piece, isInner || this.idleMs >= FLUSH_AFTER_IDLE_MS);
  }

  /** The NUL bytes that begin at `start` are skipped when they have rested and other bytes follow. */
  async #skip(start: Position, checksum: RunningChecksum | undefined, buffer: Buffer): Promise<StreamRead> {
    const { sizeBytes } = this;
    const decision = await this.#holes.decide(start, { file: this.#verified, buffer, sizeBytes, checksum });
    if (this.#ended) return ENDED;
    switch (decision.kind) {
      case 'skip':
        if (decision.isNew) this.#skipped(start, decision.after.end);
        return this.#readAt(decision.after.end, decision.after, buffer);
      case 'end of file':
        if (decision.ms !== undefined) this.#wakeTimer.set(decision.ms);
        return this.#atEnd(start);
      case 'wait':
        this.#wakeTimer.set(decision.ms);
        this.#owner.progressed(this);
        return WAITING;
      case 'scan on':
        this.#owner.wake(this);
        return WAITING;
      case 'unreadable':
        return WAITING;
    }
  }

  #skipped(start: Position, end: Position): void {
    this.#owner.changed(this);
    this.#events.skipped({ stream: this.id, path: this.path, position: start, skippedBytes: end - start });
  }

  accept(end: Position): void {
    this.#reads.accept(end);
    if (!this.#marks.accept(end)) return;
    this.#owner.changed(this);
    this.#owner.progressed(this);
  }

  refuse(reason: string): void {
    this.#refusal = reason;
    this.#owner.progressed(this);
  }

  /** There may be more to read, or something to find out. */
  wake(): void {
    this.#verified.suspect();
    this.#owner.wake(this);
  }

  /** The file has this size now. */
  saw(sizeBytes: number): void {
    // The size is in the checkpoint: if the file is gone at the next start, it tells how much was not read.
    if (sizeBytes !== this.sizeBytes) this.#owner.changed(this);
    this.#growth.record(sizeBytes, this.#clock.monotonicMs());
  }

  /** Whether the file still holds what was read of it; undefined when it cannot be looked at. */
  holds(): Promise<boolean | undefined> {
    return this.#verified.holds(this.#marks.read);
  }

  state(): Promise<FileState | undefined> {
    return this.file.state();
  }

  movedTo(path: string, target?: string): void {
    this.file.movedTo(path, target);
    this.#owner.changed(this);
  }

  /** Its bytes go on in another file. */
  attach(file: FileAccess, { sizeBytes, modifiedUnixMs, birth }: AttachedFile): void {
    this.isInDoubt = false;
    if (file !== this.file) void this.file.close();
    this.#verified = this.#verify(file, { prefix: this.prefix, birth });
    this.modifiedUnixMs = modifiedUnixMs;
    this.unlinkedSinceMs = undefined;
    this.movedAway = false;
    this.pathWasAbsent = false;
    this.#superseded = false;
    this.saw(sizeBytes);
    this.#owner.changed(this);
    this.wake();
  }

  /** Sends what is left without waiting for its end: nobody will write it. */
  flushRest(): void {
    if (this.#flushRest) return;
    this.#flushRest = true;
    this.wake();
  }

  /** No byte will come any more. */
  end(): void {
    this.#ended = true;
    this.#wakeTimer.cancel();
    void this.close();
    this.#owner.wake(this);
  }

  close(): Promise<void> {
    this.#wakeTimer.cancel();
    this.file.onlyHandle = false;
    return this.file.close();
  }

  /** Reading goes on at `mark` or at the end of the accepted bytes, whatever is further. */
  #restart(mark: PositionMark): void {
    const wasRead = this.position;
    this.#marks.restartAt(mark);
    this.#reads.restartAt(this.accepted);
    if (this.#ended && wasRead > this.accepted) {
      const lostBytes = wasRead - this.accepted;
      this.#events.lost({ stream: this.id, path: this.path, position: this.accepted, lostBytes });
    }
    this.#verified.suspect();
    this.#owner.changed(this);
    this.#owner.progressed(this);
  }

  async #verifyLate(known: KnownToAggregator): Promise<boolean> {
    const result = await this.#evidence.compare(known);
    if (result === 'other') this.#diverge();
    if (result !== 'same') return false;
    this.#unverified = undefined;
    return true;
  }

  #diverge(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#diverged = true;
    this.#wakeTimer.cancel();
    this.#owner.diverged(this);
  }

  #verify(file: FileAccess, known: KnownFile): VerifiedFile {
    return new VerifiedFile(file, known, () => this.#owner.changed(this));
  }

  /** The last record that begins before the limit is read whole, also when its end comes after the limit. */
  #roomFor(from: Position, buffer: Buffer): number {
    const { limit } = this.#parts;
    if (limit === undefined) return buffer.length;
    return this.#lastRecordAt === from && from < limit
      ? buffer.length
      : Math.min(buffer.length, limit - from);
  }

  #cut(piece: ReadPiece, isBeforeHole = false): StreamRead {
    const { from, bytes, isEndOfFile } = piece;
    const last = isBeforeHole || (isEndOfFile && bytes.length > 0 && this.#isIdle(from + bytes.length));
    const maxRecordBytes = Math.min(LIMITS.recordBytes, Math.max(1, bytes.length));
    const cut = this.#parts.cutter.cut(bytes, {
      last,
      maxRecordBytes: isEndOfFile ? LIMITS.recordBytes : maxRecordBytes,
      maxRecords: LIMITS.batchRecords,
    });
    if (cut.length === 0) return this.#atEnd(from, bytes.length > 0);
    if (last && cut.length === bytes.length) this.#flushRest = false;
    return this.#records(piece, cut);
  }

  #records(piece: ReadPiece, cut: Cut): StreamRead {
    const { from, checksum } = piece;
    const data = piece.bytes.subarray(0, cut.length);
    this.#count(cut);
    const { endCheck, end } = this.#evidence.passed(piece, cut);
    this.#reads.read(from + data.length, { records: cut.sizes.length, bytes: data.length });
    const batch = {
      stream: this.id,
      start: from,
      resource: this.#resourceNow(),
      format: this.entry.format,
      observedTimeUnixNano: this.#clock.nowUnixNano(),
      sizes: cut.sizes,
      marks: cut.marks,
      data,
    };
    const checksums = checksum && end && { start: checksum, end };
    return { kind: 'records', batch, endCheck, ...(checksums === undefined ? {} : { checksums }) };
  }

  /** Records carry the path that the file has; a rotated generation keeps the name under which it was written. */
  #resourceNow(): Resource {
    const path = this.#nameOfFile();
    if (this.#resource?.path !== path) this.#resource = { path, resource: this.#parts.resourceAt(path) };
    return this.#resource.resource;
  }

  #nameOfFile(): string {
    if (this.path === this.home || this.movedAway || this.unlinkedSinceMs !== undefined) return this.home;
    const isGeneration = originalPaths(this.path).some((path) => path === this.home || path === this.lineage);
    return isGeneration ? this.home : this.path;
  }

  #count(cut: Cut): void {
    this.#events.read(cut.length, cut.sizes.length);
    if (cut.marks.length === 0) return;
    const unterminated = cut.marks.at(-1)?.mark === 'unterminated' ? 1 : 0;
    if (cut.marks.length > unterminated) this.#events.cut(cut.marks.length - unterminated);
    if (unterminated > 0) this.#events.unterminated();
  }

  #isIdle(endOfFile: Position): boolean {
    if (this.#flushRest) return true;
    return endOfFile === this.sizeBytes && this.idleMs >= FLUSH_AFTER_IDLE_MS;
  }

  #atEnd(from: Position, hasRest = false): StreamRead {
    if (hasRest) this.#wakeTimer.set(Math.max(50, FLUSH_AFTER_IDLE_MS - this.idleMs));
    if (hasRest && this.#parts.limit !== undefined) {
      // There is no next run that would read it for sure: this one waits until its end comes, or it has rested.
      if (this.#lastRecordAt !== from) this.#owner.wake(this);
      this.#lastRecordAt = from;
    } else if (from >= this.position) this.drained = true;
    this.#owner.progressed(this);
    return WAITING;
  }
}

/** What is known of the bytes before a position. */
interface KnownBefore {
  readonly check: Check | undefined;
  readonly checksum?: RunningChecksum | undefined;
}

interface AttachedFile {
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
  readonly birth: string | undefined;
}
