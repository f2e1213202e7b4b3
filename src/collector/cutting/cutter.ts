import type { Position } from '../../records/position.ts';
import { type MarkedRecord, NO_MARKS } from '../../records/record-batch.ts';

/**
 * Cuts bytes into records. A cutter has no state between calls: it receives bytes that start at the beginning of a
 * record, and returns the end of the last complete record. The caller passes the rest again, with more bytes after it:
 *
 *     call 1   one\n two\n thr            -> one\n | two\n          the rest waits
 *     call 2               three\n        -> three\n
 *
 * So the records do not depend on where the reading of a file starts or how its bytes are split into buffers, as long
 * as a record fits into the buffer. The records one after another are exactly the input.
 */
export interface Cutter {
  cut(bytes: Buffer, options: CutOptions): Cut;
}

export interface CutOptions {
  /** No more bytes follow: the rest is a record too, marked `unterminated` when its line has no end. */
  readonly last: boolean;
  /** The size at which a record is cut; at most the size of the buffer of `bytes`. */
  readonly maxRecordBytes: number;
  readonly maxRecords: number;
  /** The position of the bytes in the file, for encodings whose code units have several bytes. Default: 0. */
  readonly position?: Position;
}

export interface Cut {
  readonly sizes: Uint32Array;
  readonly marks: readonly MarkedRecord[];
  /** The number of bytes in the records. */
  readonly length: number;
}

export const NOTHING_CUT: Cut = { sizes: new Uint32Array(0), marks: NO_MARKS, length: 0 };
