/** The messages between a UDP listener and its thread. */

export interface UdpThreadData {
  readonly host: string;
  readonly port: number;
  readonly receiveBufferBytes: number;
}

export type ToUdpThread =
  /** Bytes of batches that were processed. */
  { readonly kind: 'processed'; readonly bytes: number } | { readonly kind: 'close' };

export type FromUdpThread =
  | {
      readonly kind: 'listening';
      readonly address: string;
      readonly port: number;
      readonly receiveBufferBytes: number;
    }
  | { readonly kind: 'failed'; readonly reason: string }
  | UdpBatch
  /** All messages were handed over; the socket is closed. */
  | { readonly kind: 'closed' };

/** Messages, each followed by LF. */
export interface UdpBatch {
  readonly kind: 'batch';
  readonly data: Uint8Array;
  readonly sizes: Uint32Array;
  /** For each message the index of its sender. */
  readonly senders: Uint32Array;
  readonly addresses: readonly { readonly address: string; readonly port: number }[];
  /** Messages that were dropped since the last batch, because too much waits to be processed. */
  readonly dropped: number;
}
