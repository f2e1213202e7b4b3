/** Why a connection must be closed. `reason` is for the log: it holds nothing of what the peer sent beside names and numbers. */
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
