import { type MarkedRecord, NO_MARKS } from '../../records/record-batch.ts';

/**
 * Cuts bytes into records. A cutter holds no state between calls: it is given the bytes from a record's beginning on,
 * and says how far whole records go. The caller gives it the rest again, with more behind it:
 *
 *     call 1   one\n two\n thr            -> one\n | two\n          the rest waits
 *     call 2               three\n        -> three\n
 *
 * So where a file's reading begins and how it falls into buffers changes nothing in the records, as long as a record
 * fits the buffer; and what comes out, put back to back, is what went in.
 */
export interface Cutter {
  cut(bytes: Buffer, options: CutOptions): Cut;
}

export interface CutOptions {
  /** No more bytes belong to what is here: the rest is a record too, marked `unterminated` when its line has no end. */
  readonly last: boolean;
  /** The size at which a record is cut; at most the size of the buffer behind `bytes`. */
  readonly maxRecordBytes: number;
  readonly maxRecords: number;
}

export interface Cut {
  readonly sizes: Uint32Array;
  readonly marks: readonly MarkedRecord[];
  /** How many bytes the records cover. */
  readonly length: number;
}

export const NOTHING_CUT: Cut = { sizes: new Uint32Array(0), marks: NO_MARKS, length: 0 };
