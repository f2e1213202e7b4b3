import { type Check, checkOf } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';
import { emptyChecksum, extendChecksum, type RunningChecksum } from '../../../../records/running-checksum.ts';
import type { Cut } from '../../../cutting/cutter.ts';
import type { KnownToAggregator } from '../../../source.ts';
import type { FileCheckpoint, PositionMark } from '../files/file-checkpoint.ts';
import type { VerifiedFile } from '../files/verified-file.ts';
import { PositionMarks } from './position-marks.ts';

/** A stream that begins within its file learns the checksum of the bytes before it, if they are no more than this. */
const MAX_COMPLETED_BYTES = 16 * 1024 * 1024;

/** At the end of a file, the positions before its last records are remembered too: this many records before the end. */
const RECORDS_BEFORE_END = [16, 4, 1];

/** Whether the aggregator has the same bytes of a stream; `unknown` while the file cannot show it. */
export type Comparison = 'same' | 'other' | 'unknown';

/** Bytes that were read, with the checksum of the stream before them. */
export interface ReadPiece {
  readonly from: Position;
  readonly bytes: Buffer;
  readonly isEndOfFile: boolean;
  readonly checksum: RunningChecksum | undefined;
}

export interface StreamEvidenceParts {
  readonly checkpoint: FileCheckpoint;
  /** The file of the stream; another one later when the stream continues there. */
  readonly file: () => VerifiedFile;
  /** The stream gets no more bytes. */
  readonly isEnded: () => boolean;
  /** The file does not hold what was read of it. */
  readonly onLost: () => void;
  readonly onChange: () => void;
}

/** What is known of the bytes of a stream: marks and checksums, compared with what the aggregator has. */
export class StreamEvidence {
  readonly marks: PositionMarks;
  readonly #parts: StreamEvidenceParts;
  /** Undefined until it is decided, when the stream is resumed first. */
  #checksumFrom: Position | undefined;

  constructor(parts: StreamEvidenceParts) {
    const [first, ...more] = parts.checkpoint.marks;
    this.#parts = parts;
    this.#checksumFrom = parts.checkpoint.checksumFrom;
    this.marks = new PositionMarks([first ?? [0, checkOf(Buffer.alloc(0))], ...more]);
  }

  /** Where the checksums of the marks begin. */
  get checksumFrom(): Position | undefined {
    return this.#checksumFrom;
  }

  /** Decides once where the checksums begin: with the file, unless too much of it would have to be read for that. */
  async begin(): Promise<void> {
    if (this.#checksumFrom !== undefined) return;
    const file = this.#parts.file();
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
    this.#parts.onChange();
  }

  /** The checksum of the stream's bytes before a position, read from the file where it is not remembered. */
  async checksumAt(position: Position): Promise<RunningChecksum | undefined> {
    const from = this.#checksumFrom;
    if (from === undefined || position < from) return undefined;
    const [start, before] = this.marks.nearestWithCrc(position) ?? [from, 0];
    const isKnown = start === position;
    const crc32 = isKnown ? before : await this.#parts.file().checksum({ start, end: position }, before);
    return crc32 === undefined ? undefined : { from, crc32 };
  }

  /** Whether the aggregator has the bytes of this stream. */
  async compare(known: KnownToAggregator): Promise<Comparison> {
    const result = known.check === undefined ? 'same' : await this.#compareCheck(known.end, known.check);
    if (result !== 'same' || known.checksum === undefined) return result;
    return this.#compareChecksum(known.end, known.checksum);
  }

  /** The end of what the aggregator has without a gap, with its evidence, when that is after the accepted bytes. */
  async markAt({
    contiguousEnd: position,
    end,
    check,
  }: KnownToAggregator): Promise<PositionMark | undefined> {
    if (position <= this.marks.accepted[0]) return undefined;
    const known = this.marks.checkAt(position) ?? (position === end ? check : undefined);
    const found = known ?? (await this.#parts.file().checkAt(position));
    if (found === undefined || found === 'shorter') return undefined;
    const checksum = await this.checksumAt(position);
    return checksum === undefined ? [position, found] : [position, found, checksum.crc32];
  }

  /** The records of the cut are handed out: their end is remembered, with its check and its checksum. */
  passed(
    piece: ReadPiece,
    cut: Cut,
  ): { readonly endCheck: Check; readonly end: RunningChecksum | undefined } {
    const { from, checksum } = piece;
    const data = piece.bytes.subarray(0, cut.length);
    const endCheck = this.#parts.file().checkAfter(from, data);
    const end = checksum && extendChecksum(checksum, data);
    this.marks.passed(from + data.length, endCheck, end?.crc32, this.#marksBeforeEnd(piece, cut));
    return { endCheck, end };
  }

  /** Where to continue if the end of the file is overwritten: before its last records. */
  #marksBeforeEnd({ from, bytes, isEndOfFile, checksum }: ReadPiece, { sizes, length }: Cut): PositionMark[] {
    if (!isEndOfFile) return [];
    const marks: PositionMark[] = [];
    let [start, running] = [0, checksum];
    for (const count of RECORDS_BEFORE_END) {
      const end = length - sumOf(sizes.slice(-count));
      if (end <= start) continue;
      running = running && extendChecksum(running, bytes.subarray(start, end));
      start = end;
      const check = this.#parts.file().checkAfter(from, bytes.subarray(0, end));
      marks.push(running === undefined ? [from + end, check] : [from + end, check, running.crc32]);
    }
    return marks;
  }

  async #compareCheck(end: Position, check: Check): Promise<Comparison> {
    const known = this.marks.checkAt(end);
    if (known !== undefined) return known === check ? 'same' : 'other';
    if (this.#parts.isEnded()) return end <= this.marks.read[0] ? 'same' : 'other';
    const found = await this.#parts.file().checkAt(end);
    if (found === undefined) return 'unknown';
    return found === check ? 'same' : this.#otherUnlessLost();
  }

  /** Bytes that only end alike are other bytes: all of them are compared, as far as both sides know them. */
  async #compareChecksum(end: Position, checksum: RunningChecksum): Promise<Comparison> {
    if (checksum.from !== this.#checksumFrom) return 'same';
    const known = this.marks.crcAt(end);
    if (known !== undefined) return known === checksum.crc32 ? 'same' : 'other';
    if (this.#parts.isEnded()) return 'same';
    const found = await this.checksumAt(end);
    if (found === undefined) return 'unknown';
    return found.crc32 === checksum.crc32 ? 'same' : this.#otherUnlessLost();
  }

  /** A file that does not hold even what is known of it was truncated just now: the answer is in its copy. */
  async #otherUnlessLost(): Promise<Comparison> {
    const holds = await this.#parts.file().holds(this.marks.accepted);
    if (holds === false) this.#parts.onLost();
    return holds === true ? 'other' : 'unknown';
  }
}

function sumOf(sizes: Uint32Array): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}
