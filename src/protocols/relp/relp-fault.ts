/**
 * Why a connection must be closed. `reason` is for the log: from the peer's bytes it contains only names and
 * numbers.
 */
export interface RelpFault {
  readonly kind: RelpFaultKind;
  readonly reason: string;
}

export type RelpFaultKind = 'bad frame' | 'bad order' | 'bad offer' | 'unknown command' | 'truncated';

export function relpFault(kind: RelpFaultKind, reason: string): RelpFault {
  return { kind, reason };
}
