import type { UnitBytes } from '../../../../formats/encodings/unit-bytes.ts';
import type { Check } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';
import type { RunningChecksum } from '../../../../records/running-checksum.ts';
import { Timer } from '../../../../runtime/async/timer.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import { hasCodeUnit } from '../../../cutting/wide-lines.ts';
import type { SizeHistory } from '../../../size-history.ts';
import type { StreamRead } from '../../../source.ts';
import type { VerifiedFile } from '../files/verified-file.ts';
import type { BatchBuilder } from './batch-builder.ts';
import type { NulHoles } from './nul-holes.ts';
import { findNulRun } from './nul-runs.ts';
import type { StreamEncoding } from './stream-encoding.ts';
import type { ReadPiece, StreamEvidence } from './stream-evidence.ts';
import type { StreamFormat } from './stream-format.ts';
import type { StreamPhase } from './stream-phase.ts';
import type { StreamSignals } from './stream-signals.ts';
import { type UnfinishedBytes, UnfinishedRecord } from './unfinished-record.ts';

/**
 * A last line without an end, or a last record that may continue, is sent when the file was idle for this
 * time.
 */
const FLUSH_AFTER_IDLE_MS = 5_000;

/** The time until the next attempt to write the format to disk. */
const STORE_AGAIN_MS = 1_000;

const WAITING: StreamRead = { kind: 'waiting' };
const ENDED: StreamRead = { kind: 'ended' };

/**
 * Reads the records of one stream from its file. The order within a read:
 *
 *   1. `VerifiedFile` reads the next bytes, and shows that they follow the bytes that were read before.
 *   2. Runs of NUL bytes are skipped, or end the read (`NulHoles`).
 *   3. The bytes are cut into records (`BatchBuilder`). The rest waits for the end of its record, or for idle time.
 */
export class StreamReader {
  readonly #parts: StreamReaderParts;
  readonly #signals: StreamSignals;
  /** Most streams never need one. */
  #wakeTimer: Timer | undefined;
  readonly #unfinished = new UnfinishedRecord();
  #isDrained = false;
  #mustFlush = false;
  /** Where the record begins that is not finished at the limit. */
  #lastRecordAt: Position | undefined;

  constructor(parts: StreamReaderParts) {
    this.#parts = parts;
    this.#signals = parts.signals;
  }

  /** All bytes of the file, or all up to the limit, were read. */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  /** A call begins: there may be more to read. */
  restart(): void {
    this.#isDrained = false;
  }

  async read(from: Position, buffer: Buffer): Promise<StreamRead> {
    const { holes, evidence } = this.#parts;
    const after = holes.after(from);
    const known = after ?? { check: evidence.marks.checkAt(from) };
    return this.#readAt(after?.end ?? from, known, buffer);
  }

  /** There may be more to read, or a change to detect. */
  wake(): void {
    this.#parts.content.file.requirePrefixCheck();
    this.#signals.wake();
  }

  /** Sends the last record without waiting for its end: no process writes to the file any more. */
  flush(): void {
    if (this.#mustFlush) return;
    this.#mustFlush = true;
    this.wake();
  }

  stop(): void {
    this.#wakeTimer?.cancel();
  }

  #wakeAfter(ms: number): void {
    this.#wakeTimer ??= new Timer(this.#parts.clock, () => this.wake());
    this.#wakeTimer.set(ms);
  }

  get #idleMs(): number {
    return this.#parts.sizes.idleMs(this.#parts.clock.monotonicMs());
  }

  async #readAt(from: Position, known: KnownBefore, buffer: Buffer): Promise<StreamRead> {
    const { phase, evidence, holes, sizes, content, encoding } = this.#parts;
    const room = this.#roomFor(from, buffer);
    if (room <= 0) return this.#atEnd(from);
    const bytes = await content.file.read(from, known.check, buffer.subarray(0, room));
    if (phase.isEnded) return ENDED;
    if (bytes === undefined || bytes === 'other') return this.#notRead(bytes);
    if (from + bytes.length > sizes.sizeBytes) content.recordSize(from + bytes.length);
    const isEndOfFile = bytes.length < buffer.length;
    if (encoding.isUndecided && bytes.length > 0) await content.decideEncoding(from, bytes);
    const { unitBytes } = content;
    const run = holes.mayBeSkippedAt(from) ? findNulRun(bytes, { position: from, unitBytes }) : undefined;
    const checksum = known.checksum ?? (await evidence.checksumAt(from));
    if (phase.isEnded) return ENDED;
    // Nothing is awaited from here until the bytes are handed out, except the first decision about a format.
    if (phase.isHeldBack) return WAITING;
    if (run?.start === 0) return this.#skip(from, checksum, buffer);
    if (run === undefined) return this.#cut({ from, bytes, isEndOfFile, checksum });
    const piece = { from, bytes: bytes.subarray(0, run.start), isEndOfFile: true, checksum };
    return this.#cut(piece, { nulsEnd: run.end < bytes.length ? from + run.end : undefined });
  }

  #notRead(bytes: 'other' | undefined): StreamRead {
    const { failure } = this.#parts.content.file.access;
    // The next scan wakes the stream.
    if (bytes !== 'other' && failure === 'waiting') return WAITING;
    if (bytes === 'other' || failure !== 'unreadable') {
      this.#signals.contentLost();
      return WAITING;
    }
    // The next scan wakes the stream. A run with a limit has no next scan.
    if (this.#parts.limit !== undefined) this.#isDrained = true;
    this.#signals.unreadable();
    return WAITING;
  }

  /** Skips the NUL bytes that begin at `start` when the file was idle and other bytes follow. */
  async #skip(start: Position, checksum: RunningChecksum | undefined, buffer: Buffer): Promise<StreamRead> {
    const { holes, sizes, phase, content } = this.#parts;
    const { file, unitBytes } = content;
    const context = { file, buffer, sizeBytes: sizes.sizeBytes, unitBytes, checksum };
    const decision = await holes.decide(start, context);
    if (phase.isEnded) return ENDED;
    switch (decision.kind) {
      case 'skip':
        if (decision.isNew) this.#parts.content.skip(start, decision.after.end);
        return this.#readAt(decision.after.end, decision.after, buffer);
      case 'end of file':
        if (decision.ms !== undefined) this.#wakeAfter(decision.ms);
        return this.#atEnd(start);
      case 'wait':
        this.#wakeAfter(decision.ms);
        this.#signals.progressed();
        return WAITING;
      case 'scan on':
        this.#signals.wake();
        return WAITING;
      case 'unreadable':
        return WAITING;
    }
  }

  /** The last record that begins before the limit is read to its end, also after the limit. */
  #roomFor(from: Position, buffer: Buffer): number {
    const { limit } = this.#parts;
    if (limit === undefined) return buffer.length;
    return this.#lastRecordAt === from && from < limit
      ? buffer.length
      : Math.min(buffer.length, limit - from);
  }

  /**
   * `beforeNuls`: NUL bytes follow. The line before them may get its end there (preallocation, a network file
   * system), or never (a power loss).
   */
  async #cut(piece: ReadPiece, beforeNuls?: { readonly nulsEnd: Position | undefined }): Promise<StreamRead> {
    const { from, bytes, isEndOfFile } = piece;
    const rest = { from, bytes, nulsEnd: beforeNuls?.nulsEnd };
    const idleMs = isEndOfFile && bytes.length > 0 ? this.#restIdleMs(rest, beforeNuls !== undefined) : 0;
    const isIdle = idleMs >= FLUSH_AFTER_IDLE_MS && this.#mayEndWith(piece);
    const isLast = bytes.length > 0 && isEndOfFile && (this.#mustFlush || isIdle);
    const cut = this.#parts.batches.cut(piece, isLast);
    if (cut.length === 0 && bytes.length > 0) {
      this.#unfinished.see(rest, this.#parts.clock.monotonicMs());
      return this.#atEnd(from, { idleMs: idleMs % FLUSH_AFTER_IDLE_MS });
    }
    if (cut.length === 0) return this.#atEnd(from);
    if (this.#parts.batches.mustStoreFormat(piece, cut)) {
      const refused = await this.#storeFormat();
      if (refused !== undefined) return refused;
    }
    if (isLast && cut.length === bytes.length) this.#mustFlush = false;
    return this.#parts.batches.build(piece, cut);
  }

  /** A part of a code unit waits for its rest, except at the end of a run. */
  #mayEndWith({ from, bytes }: ReadPiece): boolean {
    const { encoding, limit } = this.#parts;
    return limit !== undefined || hasCodeUnit(encoding.name, from, bytes.length);
  }

  /** undefined: the records can be handed out. */
  async #storeFormat(): Promise<StreamRead | undefined> {
    const { signals, phase, format } = this.#parts;
    const isStored = await signals.save();
    if (phase.isEnded) return ENDED;
    if (isStored) format.noteStored();
    else this.#wakeAfter(STORE_AGAIN_MS);
    return isStored && !phase.isHeldBack ? undefined : WAITING;
  }

  /**
   * The time since the last change of the bytes. The size of the file shows no change before NUL bytes, because
   * a program writes over them: there, the time begins when the bytes are seen first.
   */
  #restIdleMs(rest: UnfinishedBytes, isBeforeNuls: boolean): number {
    const unchangedMs = this.#unfinished.unchangedMs(rest, this.#parts.clock.monotonicMs());
    if (isBeforeNuls) return unchangedMs ?? 0;
    if (rest.from + rest.bytes.length !== this.#parts.sizes.sizeBytes) return 0;
    return Math.min(this.#idleMs, unchangedMs ?? Number.POSITIVE_INFINITY);
  }

  /** All is read. An idle stream keeps little memory. */
  #rest(): void {
    this.#isDrained = true;
    this.#parts.batches.rest();
  }

  #atEnd(from: Position, rest?: { readonly idleMs: number }): StreamRead {
    if (rest !== undefined) this.#wakeAfter(Math.max(50, FLUSH_AFTER_IDLE_MS - rest.idleMs));
    if (rest !== undefined && this.#parts.limit !== undefined) {
      // A next run may never read the rest: this run waits until the record ends, or the file was idle.
      if (this.#lastRecordAt !== from) this.#signals.wake();
      this.#lastRecordAt = from;
    } else if (from >= this.#parts.evidence.marks.read[0]) this.#rest();
    this.#signals.progressed();
    return WAITING;
  }
}

export interface StreamReaderParts {
  readonly content: ReadContent;
  readonly phase: StreamPhase;
  readonly evidence: StreamEvidence;
  readonly holes: NulHoles;
  readonly batches: BatchBuilder;
  readonly format: StreamFormat;
  readonly encoding: StreamEncoding;
  readonly sizes: SizeHistory;
  readonly signals: StreamSignals;
  readonly clock: Clock;
  /** Reading stops at this position, but the record that begins before it is read to its end. */
  readonly limit: Position | undefined;
}

/** The content of the stream that is read. */
interface ReadContent {
  /** The file of the stream now. */
  readonly file: VerifiedFile;
  readonly unitBytes: UnitBytes;
  /** Decides the encoding by the beginning of the file. `bytes`: those at `from`. */
  decideEncoding(from: Position, bytes: Buffer): Promise<void>;
  recordSize(sizeBytes: number): void;
  skip(start: Position, end: Position): void;
}

/** The evidence for the bytes before a position. */
interface KnownBefore {
  readonly check: Check | undefined;
  readonly checksum?: RunningChecksum | undefined;
}
