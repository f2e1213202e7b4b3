import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../records/check.ts';
import type { ChecksumPair } from '../../records/checksum-codec.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { compareChecksums, extendChecksum } from '../../records/running-checksum.ts';
import type { StreamId } from '../../records/stream-id.ts';
import { decodeRecordBatch } from '../../records/wire.ts';
import { WireError } from '../../records/wire-error.ts';

/**
 * Decodes a batch, and compares its bytes with the sender's evidence. This is the only pass over the records with the
 * running checksum: the ledger keeps the sender's checksum of the end, which is verified here.
 */
export function verifyBatch({ records, endCheck, checksums }: ReceivedBatch): BatchVerification {
  const batch = decode(records);
  if (typeof batch === 'string') return { kind: 'invalid', stream: undefined, reason: batch };
  const reason = checkProblem(batch, endCheck) ?? checksumProblem(batch, checksums);
  return reason === undefined
    ? { kind: 'verified', batch }
    : { kind: 'invalid', stream: batch.stream, reason };
}

/** A batch as its sender encoded it. */
export interface ReceivedBatch {
  readonly endCheck: Check;
  readonly checksums: ChecksumPair | undefined;
  /** The RecordBatch message. */
  readonly records: Uint8Array;
}

export type BatchVerification =
  | { readonly kind: 'verified'; readonly batch: RecordBatch }
  | { readonly kind: 'invalid'; readonly stream: StreamId | undefined; readonly reason: string };

function decode(records: Uint8Array): RecordBatch | string {
  try {
    return decodeRecordBatch(records);
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

/** The check covers the last 64 bytes of the stream: a shorter batch holds only a part of them. */
function checkProblem({ data }: RecordBatch, endCheck: Check): string | undefined {
  if (data.length < CHECK_WINDOW_BYTES || checkOf(data) === endCheck) return undefined;
  return 'the records do not match the check of their end';
}

function checksumProblem(batch: RecordBatch, checksums: ChecksumPair | undefined): string | undefined {
  if (checksums === undefined) return undefined;
  const { start, end } = checksums;
  const isRight =
    start.from <= batch.start && compareChecksums(extendChecksum(start, batch.data), end) === 'same';
  return isRight ? undefined : 'the records do not match their checksums';
}
