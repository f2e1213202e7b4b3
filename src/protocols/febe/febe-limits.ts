import { LIMITS } from '../../records/limits.ts';

/** The most a frame of each type may say it holds: its length field, which counts itself and the payload. */
export interface FebeLimits {
  /** V and I. */
  readonly startupLengthBytes: number;
  /** L. At most 1 MiB: a payload is one record, and that is what a record may have. */
  readonly recordLengthBytes: number;
}

export const FEBE_LIMITS: FebeLimits = {
  startupLengthBytes: 10_240,
  recordLengthBytes: LIMITS.recordBytes,
};
