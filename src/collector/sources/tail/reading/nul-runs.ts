import { bytesToUnit, type UnitBytes } from '../../../../formats/encodings/unit-bytes.ts';
import type { Position } from '../../../../records/position.ts';
import { extendChecksum, type RunningChecksum } from '../../../../records/running-checksum.ts';

/*
 * A run of NUL bytes is no text. It has three causes: the file of a writer without O_APPEND is truncated
 * (copytruncate), which leaves a run at the beginning; a power loss leaves one in the middle; preallocation
 * leaves one at the end.
 *
 * A run before other bytes is a hole. It is not sent: the stream has a gap there, so that positions remain
 * offsets in the file. The ledger accepts a gap. A checkpoint is always at the end of a batch, so no position
 * is inside a hole. When a call begins, reading may continue before the hole; then the hole is skipped again.
 * A checksum of the stream covers all bytes of the file, including those of the hole.
 *
 * NUL bytes at the end of a file are not sent yet: on a network file system, a file may be longer before its
 * bytes arrive. For the same reason, a hole is skipped only when it is unchanged after a second.
 */

/** At the beginning of a record, fewer NUL bytes belong to the record. */
const MIN_LEADING_BYTES = 8;
const SHORTEST_INNER_RUN = Buffer.alloc(64);
const ZEROS = Buffer.alloc(64 * 1024);

/** Maximum of bytes for one step of a scan. Other streams are read between two steps. */
const STEP_BYTES = 4 * 1024 * 1024;

/** `[start, end)` of the first run of NUL bytes that is no text; undefined when there is none. */
export function findNulRun(bytes: Buffer, place: UnitPlace = BYTES): NulRun | undefined {
  if (bytes.indexOf(0) < 0) return undefined;
  const leadingEnd = endOfNuls(bytes, 0);
  if (leadingEnd >= MIN_LEADING_BYTES) return { start: 0, end: withoutPartOfUnit(leadingEnd, place) };
  const start = bytes.indexOf(SHORTEST_INNER_RUN);
  if (start < 0) return undefined;
  // The NUL bytes of the unit before the run are a part of it: 0A 00 is a line feed.
  const first = start + bytesToUnit(place.position + start, place.unitBytes);
  return { start: first, end: withoutPartOfUnit(endOfNuls(bytes, start), place) };
}

/** Whether bytes of text have a run of NUL bytes, or any NUL byte if text has none. */
export function hasNulRun(bytes: Buffer, position: Position, unitBytes: UnitBytes): boolean {
  return unitBytes === 1 ? bytes.includes(0) : findNulRun(bytes, { position, unitBytes }) !== undefined;
}

interface NulRun {
  readonly start: number;
  readonly end: number;
}

/** The position of bytes in the file, and the size of a code unit. Units begin at multiples of their size. */
interface UnitPlace {
  readonly position: Position;
  readonly unitBytes: UnitBytes;
}

const BYTES: UnitPlace = { position: 0, unitBytes: 1 };

/** Without the NUL bytes at the end that are a part of the next unit: 00 41 is a letter. */
function withoutPartOfUnit(end: number, { position, unitBytes }: UnitPlace): number {
  return end - ((position + end) % unitBytes);
}

/** The part of a file handle that a scan uses. */
interface ByteReader {
  read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
}

/**
 * The end of a run of NUL bytes; `end of file` when no other bytes follow; undefined while the scan is not
 * finished.
 */
export type NulRunEnd = Position | 'end of file' | undefined;

/** Scans a run of NUL bytes to its end, in steps: a run may be as long as the largest file. */
export class NulScan {
  readonly start: Position;
  readonly #unitBytes: UnitBytes;
  #at: Position;
  #checksum: RunningChecksum | undefined;

  /** `checksum`: the checksum of the stream's bytes before `start`. */
  constructor(start: Position, checksum: RunningChecksum | undefined, unitBytes: UnitBytes = 1) {
    this.start = start;
    this.#unitBytes = unitBytes;
    this.#at = start;
    this.#checksum = checksum;
  }

  /** The checksum of the stream's bytes before the position of the scan. */
  get checksum(): RunningChecksum | undefined {
    return this.#checksum;
  }

  /** Reads into `buffer`. */
  async step(handle: ByteReader, buffer: Buffer): Promise<NulRunEnd> {
    for (const stepEnd = this.#at + STEP_BYTES; this.#at < stepEnd; ) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#at);
      if (bytesRead === 0) return 'end of file';
      const nuls = endOfNuls(buffer.subarray(0, bytesRead), 0);
      const end = withoutPartOfUnit(nuls, { position: this.#at, unitBytes: this.#unitBytes });
      if (end <= 0 && nuls === bytesRead) return 'end of file';
      this.#at += end;
      this.#checksum &&= extendChecksum(this.#checksum, buffer.subarray(0, end));
      if (nuls < bytesRead) return this.#at;
    }
    return undefined;
  }
}

function endOfNuls(bytes: Buffer, start: number): number {
  let end = start;
  while (
    bytes.length - end >= ZEROS.length &&
    bytes.compare(ZEROS, 0, ZEROS.length, end, end + ZEROS.length) === 0
  )
    end += ZEROS.length;
  while (end < bytes.length && bytes[end] === 0) end++;
  return end;
}
