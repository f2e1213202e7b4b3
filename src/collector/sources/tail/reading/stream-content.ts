import { type UnitBytes, unitBytesOf } from '../../../../formats/encodings/unit-bytes.ts';
import type { Amount } from '../../../../records/amount.ts';
import type { Position } from '../../../../records/position.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import { SizeHistory } from '../../../size-history.ts';
import type { KnownToAggregator, StreamRead } from '../../../source.ts';
import type { FileAccess } from '../files/file-access.ts';
import type { FileCheckpoint, PositionMark } from '../files/file-checkpoint.ts';
import { readBytes } from '../files/read-bytes.ts';
import { type KnownFile, VerifiedFile } from '../files/verified-file.ts';
import { BatchBuilder, type BatchBuilderParts } from './batch-builder.ts';
import { NulHoles } from './nul-holes.ts';
import { hasNulRun } from './nul-runs.ts';
import type { PositionMarks } from './position-marks.ts';
import { ENCODING_SAMPLE_BYTES } from './stream-encoding.ts';
import { StreamEvidence } from './stream-evidence.ts';
import type { StreamPhase } from './stream-phase.ts';
import { StreamReader } from './stream-reader.ts';
import type { StreamSignals } from './stream-signals.ts';

const FORMAT_SAMPLE_BYTES = 16 * 1024;

const WAITING: StreamRead = { kind: 'waiting' };
const ENDED: StreamRead = { kind: 'ended' };

/** The bytes of one stream: its file, how far it is read and accepted, and the evidence for that. */
export class StreamContent {
  /** When this object was created. */
  readonly firstSeen: SizeAt;
  readonly #parts: KeptParts;
  readonly #clock: Clock;
  readonly #signals: StreamSignals;
  readonly #sizes: SizeHistory;
  readonly #holes: NulHoles;
  readonly #evidence: StreamEvidence;
  readonly #batches: BatchBuilder;
  readonly #reader: StreamReader;
  #verified: VerifiedFile;
  /** The aggregator's answer at the beginning of the call, while the file cannot be compared with it. */
  #unverified: KnownToAggregator | undefined;

  constructor(parts: StreamContentParts) {
    // The rest of the parts is not kept: the checkpoint would be, for each stream, as long as it exists.
    const { checkpoint, file, sizeBytes, modifiedUnixMs, ...kept } = parts;
    const { clock, phase, signals } = parts;
    this.#parts = kept;
    this.#clock = clock;
    this.#signals = signals;
    this.#verified = this.#verify(file, checkpoint);
    this.firstSeen = { sizeBytes, atMs: clock.monotonicMs() };
    const idleMs = Math.max(0, Number(clock.nowUnixNano() / 1_000_000n) - modifiedUnixMs);
    this.#sizes = new SizeHistory(sizeBytes, clock.monotonicMs() - idleMs);
    this.#holes = new NulHoles(clock, checkpoint.holes);
    this.#evidence = new StreamEvidence({ checkpoint, content: this, phase, signals });
    this.#batches = new BatchBuilder(kept, this.#evidence);
    this.#reader = this.#createReader();
  }

  get marks(): PositionMarks {
    return this.#evidence.marks;
  }

  get file(): VerifiedFile {
    return this.#verified;
  }

  /** The records that were read in this run and are accepted. */
  get acceptedReads(): Amount {
    return this.#batches.accepted;
  }

  get sizeBytes(): number {
    return this.#sizes.sizeBytes;
  }

  /** The size of the file without the NUL bytes at its end. */
  get end(): Position {
    return this.#holes.contentEnd(this.sizeBytes);
  }

  /** The number of bytes that a run with a limit must still read, or that are read and not accepted. */
  get leftBytes(): number {
    const { limit = this.end, phase } = this.#parts;
    const end = phase.isEnded ? this.marks.read[0] : Math.min(limit, this.end);
    return Math.max(0, end - this.marks.accepted[0]);
  }

  get idleMs(): number {
    return this.#sizes.idleMs(this.#clock.monotonicMs());
  }

  get oldestUnacceptedMs(): number | undefined {
    const [accepted] = this.marks.accepted;
    if (accepted >= this.end) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const ageMs = this.#sizes.remainderAgeMs(accepted, nowMs);
    // A file that was old when it was found is not late at once.
    return ageMs === undefined ? undefined : Math.min(ageMs, nowMs - this.firstSeen.atMs);
  }

  /** All bytes of the file, or all up to the limit, were read. */
  get isDrained(): boolean {
    return this.#reader.isDrained;
  }

  /** The part of a checkpoint that is about bytes. */
  get checkpoint() {
    const { checksumFrom } = this.#evidence;
    const { birth, prefix } = this.#verified;
    const { decided: format } = this.#parts.format;
    const { detected: encoding } = this.#parts.encoding;
    return {
      ...(birth === undefined ? {} : { birth }),
      prefix,
      marks: this.marks.kept,
      ...(checksumFrom === undefined ? {} : { checksumFrom }),
      ...(format === undefined ? {} : { format }),
      ...(encoding === undefined ? {} : { encoding }),
      ...(this.#holes.skipped.count === 0 ? {} : { holes: this.#holes.skipped }),
      sizeBytes: this.sizeBytes,
    };
  }

  /** A call begins. Compares the bytes with those that the aggregator has; false when they are others. */
  async resume(known: KnownToAggregator): Promise<boolean> {
    this.#unverified = undefined;
    this.#reader.restart();
    await this.#evidence.begin();
    const result = known.end === 0 ? 'same' : await this.#evidence.compare(known);
    if (result === 'other') return false;
    if (result === 'unknown') this.#unverified = known;
    const further = result === 'same' ? await this.#evidence.markAt(known) : undefined;
    this.#restart(further ?? this.marks.accepted);
    return true;
  }

  /**
   * Decides an automatic format before the stream is opened: the identities of many streams and their formats
   * are then written to disk together. A file without a complete record is decided by its first batch.
   */
  async decideFormat(): Promise<void> {
    if (!this.#parts.format.isUndecided) return;
    const [start] = this.marks.accepted;
    const end = Math.min(this.sizeBytes, start + FORMAT_SAMPLE_BYTES);
    if (end <= start) return;
    const bytes = await this.#verified.access.use((handle) => readBytes(handle, start, end));
    if (bytes === undefined) return;
    if (this.#parts.encoding.isUndecided) await this.decideEncoding(start, bytes);
    if (hasNulRun(bytes, start, this.unitBytes)) return;
    this.#batches.decideFormat(bytes, start);
    this.#signals.changed();
  }

  /** The size of the code units of the file. */
  get unitBytes(): UnitBytes {
    return unitBytesOf(this.#parts.encoding.name);
  }

  /** Decides the encoding by the beginning of the file. `bytes`: those at `from`. */
  async decideEncoding(from: Position, bytes: Buffer): Promise<void> {
    const { encoding, events } = this.#parts;
    const beginning = from === 0 ? bytes : await this.#beginning();
    if (beginning === undefined || !encoding.isUndecided) return;
    const isDetected = encoding.decide(beginning.subarray(0, ENCODING_SAMPLE_BYTES));
    if (encoding.detected !== undefined) this.#signals.changed();
    const { path } = this.#verified.access.place;
    if (isDetected) events.encodingDetected({ path, encoding: encoding.name ?? '' });
  }

  #beginning(): Promise<Buffer | undefined> {
    return this.#verified.access.use((handle) => readBytes(handle, 0, ENCODING_SAMPLE_BYTES));
  }

  /** The checkpoint is on disk. */
  noteStored(): void {
    this.#parts.format.noteStored();
  }

  async read(from: Position, buffer: Buffer): Promise<StreamRead> {
    const { phase } = this.#parts;
    if (phase.isEnded) return ENDED;
    if (phase.isHeldBack) return WAITING;
    if (this.#unverified !== undefined && !(await this.#verifyLate(this.#unverified))) {
      return phase.isEnded ? ENDED : WAITING;
    }
    return this.#reader.read(from, buffer);
  }

  /** True when this is news. */
  accept(end: Position): boolean {
    this.#batches.accept(end);
    return this.marks.accept(end);
  }

  /** There may be more to read, or a change to detect. */
  wake(): void {
    this.#reader.wake();
  }

  /** Sends the last record without waiting for its end: no process writes to the file any more. */
  flush(): void {
    this.#reader.flush();
  }

  /** Stops waking the stream for a later read. */
  stop(): void {
    this.#reader.stop();
  }

  recordSize(sizeBytes: number): void {
    // The size is in the checkpoint: if the file is gone at the next start, it shows how much was not read.
    if (sizeBytes !== this.sizeBytes) this.#signals.changed();
    this.#sizes.record(sizeBytes, this.#clock.monotonicMs());
  }

  /** The NUL bytes of this range are not sent. */
  skip(start: Position, end: Position): void {
    const { id, signals, events } = this.#parts;
    signals.changed();
    const { path } = this.#verified.access.place;
    events.skipped({ stream: id, path, position: start, skippedBytes: end - start });
  }

  /** Whether the file still has the bytes that were read; undefined when it cannot be read. */
  stillHolds(): Promise<boolean | undefined> {
    return this.#verified.holds(this.marks.read);
  }

  /** The bytes continue in another file. */
  continueIn(file: FileAccess, birth: string | undefined): void {
    if (file !== this.#verified.access) void this.#verified.access.close();
    this.#verified = this.#verify(file, { prefix: this.#verified.prefix, birth });
  }

  /** Reading continues at `mark` or at the end of the accepted bytes, whichever is higher. */
  #restart(mark: PositionMark): void {
    const { id, events, phase } = this.#parts;
    const [wasRead] = this.marks.read;
    this.marks.restartAt(mark);
    const [position] = this.marks.accepted;
    this.#batches.restartAt(position);
    if (phase.isEnded && wasRead > position) {
      const { path } = this.#verified.access.place;
      events.lost({ stream: id, path, position, lostBytes: wasRead - position });
    }
    this.#verified.requirePrefixCheck();
    this.#signals.changed();
    this.#signals.progressed();
  }

  async #verifyLate(known: KnownToAggregator): Promise<boolean> {
    const result = await this.#evidence.compare(known);
    if (result === 'other') this.#parts.diverge();
    if (result !== 'same') return false;
    this.#unverified = undefined;
    return true;
  }

  #verify(file: FileAccess, known: KnownFile): VerifiedFile {
    return new VerifiedFile(file, known, this.#signals);
  }

  #createReader(): StreamReader {
    const { phase, signals, clock, limit, format, encoding } = this.#parts;
    return new StreamReader({
      ...{ content: this, phase, signals, clock, limit, sizes: this.#sizes, holes: this.#holes },
      ...{ evidence: this.#evidence, batches: this.#batches, format, encoding },
    });
  }
}

export interface StreamContentParts extends BatchBuilderParts {
  readonly checkpoint: FileCheckpoint;
  readonly file: FileAccess;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
  readonly phase: StreamPhase;
  readonly signals: StreamSignals;
  /** The aggregator has other bytes under the id of the stream. */
  readonly diverge: () => void;
  readonly limit?: Position | undefined;
}

type KeptParts = Omit<StreamContentParts, 'checkpoint' | 'file' | 'sizeBytes' | 'modifiedUnixMs'>;

/** The size of a file at a time, monotonic. */
export interface SizeAt {
  readonly sizeBytes: number;
  readonly atMs: number;
}
