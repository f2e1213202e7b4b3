import { LIMITS } from '../../records/limits.ts';

/** The maximum value of the length field of each frame type, which counts itself and the payload. */
export interface FebeLimits {
  /** V and I. */
  readonly startupLengthBytes: number;
  /** L. At most 1 MiB, the maximum size of a record: a payload is one record. */
  readonly recordLengthBytes: number;
}

export const FEBE_LIMITS: FebeLimits = {
  startupLengthBytes: 10_240,
  recordLengthBytes: LIMITS.recordBytes,
};
