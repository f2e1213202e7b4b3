/**
 * Why a connection must be closed. `reason` is for the log: from the peer's bytes it contains only names and
 * numbers.
 */
export interface FebeFault {
  readonly kind: FebeFaultKind;
  readonly reason: string;
}

export type FebeFaultKind =
  | 'unexpected frame'
  | 'bad length'
  | 'bad version'
  | 'bad identity'
  | 'bad record'
  | 'truncated';

export function febeFault(kind: FebeFaultKind, reason: string): FebeFault {
  return { kind, reason };
}
