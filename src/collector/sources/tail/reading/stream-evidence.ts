import { type Check, checkOf } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';
import { emptyChecksum, extendChecksum, type RunningChecksum } from '../../../../records/running-checksum.ts';
import type { Cut } from '../../../cutting/cutter.ts';
import type { KnownToAggregator } from '../../../source.ts';
import type { FileCheckpoint, PositionMark } from '../files/file-checkpoint.ts';
import type { VerifiedFile } from '../files/verified-file.ts';
import { PositionMarks } from './position-marks.ts';
import type { StreamPhase } from './stream-phase.ts';
import type { StreamSignals } from './stream-signals.ts';

/**
 * Maximum number of bytes before a stream that are read to compute the checksum from the beginning of the
 * file.
 */
const MAX_COMPLETED_BYTES = 16 * 1024 * 1024;

/** At the end of a file, these positions are kept too: this number of records before the end. */
const RECORDS_BEFORE_END = [16, 4, 1];

/**
 * The evidence for the bytes of a stream: marks and checksums, which are compared with those of the
 * aggregator.
 */
export class StreamEvidence {
  readonly marks: PositionMarks;
  readonly #content: EvidenceOf;
  readonly #phase: StreamPhase;
  readonly #signals: StreamSignals;
  /** Undefined until the stream is resumed for the first time. */
  #checksumFrom: Position | undefined;

  constructor({ checkpoint, content, phase, signals }: StreamEvidenceParts) {
    const [first, ...more] = checkpoint.marks;
    this.#content = content;
    this.#phase = phase;
    this.#signals = signals;
    this.#checksumFrom = checkpoint.checksumFrom;
    this.marks = new PositionMarks([first ?? [0, checkOf(Buffer.alloc(0))], ...more]);
  }

  /** Where the checksums of the marks begin. */
  get checksumFrom(): Position | undefined {
    return this.#checksumFrom;
  }

  /**
   * Decides once where the checksums begin: at the beginning of the file, unless too many bytes must be read
   * for that.
   */
  async begin(): Promise<void> {
    if (this.#checksumFrom !== undefined) return;
    const file = this.#content.file;
    const [position] = this.marks.accepted;
    if (position <= MAX_COMPLETED_BYTES) {
      const crc32 = await file.checksum({ start: 0, end: position });
      if (crc32 === undefined || (await file.holds(this.marks.accepted)) !== true) return;
      this.#checksumFrom = 0;
      this.marks.complete(crc32);
    } else {
      this.#checksumFrom = position;
      this.marks.complete(emptyChecksum(position).crc32);
    }
    this.#signals.changed();
  }

  /**
   * The checksum of the stream's bytes before a position. It is computed from the file when it is not known.
   */
  async checksumAt(position: Position): Promise<RunningChecksum | undefined> {
    const from = this.#checksumFrom;
    if (from === undefined || position < from) return undefined;
    const [start, before] = this.marks.nearestWithCrc(position) ?? [from, 0];
    const isKnown = start === position;
    const crc32 = isKnown ? before : await this.#content.file.checksum({ start, end: position }, before);
    return crc32 === undefined ? undefined : { from, crc32 };
  }

  /** Compares the bytes of the stream with those of the aggregator. */
  async compare(known: KnownToAggregator): Promise<Comparison> {
    const result = known.check === undefined ? 'same' : await this.#compareCheck(known.end, known.check);
    if (result !== 'same' || known.checksum === undefined) return result;
    return this.#compareChecksum(known.end, known.checksum);
  }

  /**
   * The end of the aggregator's bytes without a gap, with its evidence, when that is after the accepted
   * bytes.
   */
  async markAt({
    contiguousEnd: position,
    end,
    check,
  }: KnownToAggregator): Promise<PositionMark | undefined> {
    if (position <= this.marks.accepted[0]) return undefined;
    const known = this.marks.checkAt(position) ?? (position === end ? check : undefined);
    const found = known ?? (await this.#content.file.checkAt(position));
    if (found === undefined || found === 'shorter') return undefined;
    const checksum = await this.checksumAt(position);
    return checksum === undefined ? [position, found] : [position, found, checksum.crc32];
  }

  /** The records of the cut are handed out: keeps their end with its check and its checksum. */
  passed(
    piece: ReadPiece,
    cut: Cut,
  ): { readonly endCheck: Check; readonly end: RunningChecksum | undefined } {
    const { from, checksum } = piece;
    const data = piece.bytes.subarray(0, cut.length);
    const endCheck = this.#content.file.checkAfter(from, data);
    const end = checksum && extendChecksum(checksum, data);
    this.marks.passed(from + data.length, endCheck, end?.crc32, this.#marksBeforeEnd(piece, cut));
    return { endCheck, end };
  }

  /** Positions before the last records, where reading can continue if the end of the file is overwritten. */
  #marksBeforeEnd({ from, bytes, isEndOfFile, checksum }: ReadPiece, { sizes, length }: Cut): PositionMark[] {
    if (!isEndOfFile) return [];
    const marks: PositionMark[] = [];
    let [start, running] = [0, checksum];
    for (const count of RECORDS_BEFORE_END) {
      const end = length - sumOf(sizes.slice(-count));
      if (end <= start) continue;
      running = running && extendChecksum(running, bytes.subarray(start, end));
      start = end;
      const check = this.#content.file.checkAfter(from, bytes.subarray(0, end));
      marks.push(running === undefined ? [from + end, check] : [from + end, check, running.crc32]);
    }
    return marks;
  }

  async #compareCheck(end: Position, check: Check): Promise<Comparison> {
    const known = this.marks.checkAt(end);
    if (known !== undefined) return known === check ? 'same' : 'other';
    if (this.#phase.isEnded) return end <= this.marks.read[0] ? 'same' : 'other';
    const found = await this.#content.file.checkAt(end);
    if (found === undefined) return 'unknown';
    return found === check ? 'same' : this.#otherUnlessLost();
  }

  /** Bytes with only an equal end are other bytes: the checksum covers all bytes that both sides know. */
  async #compareChecksum(end: Position, checksum: RunningChecksum): Promise<Comparison> {
    if (checksum.from !== this.#checksumFrom) return 'same';
    const known = this.marks.crcAt(end);
    if (known !== undefined) return known === checksum.crc32 ? 'same' : 'other';
    if (this.#phase.isEnded) return 'same';
    const found = await this.checksumAt(end);
    if (found === undefined) return 'unknown';
    return found.crc32 === checksum.crc32 ? 'same' : this.#otherUnlessLost();
  }

  /** A file without the bytes that were read was truncated a moment ago: then its copy must be compared. */
  async #otherUnlessLost(): Promise<Comparison> {
    const holds = await this.#content.file.holds(this.marks.accepted);
    if (holds === false) this.#signals.contentLost();
    return holds === true ? 'other' : 'unknown';
  }
}

/** Whether the aggregator has the same bytes of a stream; `unknown` while the file cannot be compared. */
export type Comparison = 'same' | 'other' | 'unknown';

/** Bytes that were read, with the checksum of the stream's bytes before them. */
export interface ReadPiece {
  readonly from: Position;
  readonly bytes: Buffer;
  readonly isEndOfFile: boolean;
  readonly checksum: RunningChecksum | undefined;
}

export interface StreamEvidenceParts {
  readonly checkpoint: Pick<FileCheckpoint, 'marks' | 'checksumFrom'>;
  readonly content: EvidenceOf;
  readonly phase: StreamPhase;
  readonly signals: StreamSignals;
}

/** The content that the evidence is for. */
interface EvidenceOf {
  /** The file of the stream now. */
  readonly file: VerifiedFile;
}

function sumOf(sizes: Uint32Array): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}
