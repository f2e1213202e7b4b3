/** Limits of what a peer can make a connection hold. */
export interface RelpLimits {
  /** The kept part of a frame's data. The rest of longer data is read and discarded. */
  readonly keptBytes: number;
  /** A frame that announces more data breaks the protocol. */
  readonly dataBytes: number;
}

export const RELP_LIMITS: RelpLimits = { keptBytes: 256 * 1024, dataBytes: 16 * 1024 * 1024 };

export const MAX_TXNR = 999_999_999;

/** The transaction number of the next command. */
export function nextTxnr(txnr: number): number {
  return txnr === MAX_TXNR ? 1 : txnr + 1;
}
