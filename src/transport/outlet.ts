/**
 * A session that accepts messages immediately and sends them in the background: for callers that must not
 * wait or handle network failures, such as a program that logs.
 */
export interface Outlet {
  /**
   * Accepts one message: its packets or its frame. Returns false if it was dropped (and counted). Never
   * throws. The bytes must not be changed afterwards.
   */
  write(packets: readonly Uint8Array[]): boolean;
  /** Resolves when the queue is less than half full: for callers that wait instead of losing messages. */
  room(): Promise<void>;
  /**
   * Resolves to true when the kernel has accepted all messages so far; to false at the deadline or if some
   * were dropped.
   */
  flush(deadline?: AbortSignal): Promise<boolean>;
  /**
   * Accepts no more messages, sends queued ones until the deadline, then releases everything. May be called
   * twice.
   */
  close(deadline: AbortSignal): Promise<void>;
  readonly counters: OutletCounters;
}

/**
 * `full`: the queue is full; `too-large`: the message exceeds the queue limit; `failed`: sending failed
 * without a retry; `closed`: added after `close`, or not sent before its deadline.
 */
export type DropReason = 'full' | 'too-large' | 'failed' | 'closed';

/** Totals since the start, except the `queued` ones. Numbers of messages, unless the name contains bytes. */
export interface OutletCounters {
  readonly sent: number;
  readonly sentBytes: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Written again because the connection broke during the write. The receiver may have duplicates. */
  readonly retried: number;
  readonly connects: number;
  /** Lost connections, failed attempts and unsent packets. */
  readonly failures: number;
  readonly queued: number;
  readonly queuedBytes: number;
}

/** Events for operators; each kind at most once in 10 s, with its number of occurrences. */
export type OutletEvent = { readonly address: string; readonly count: number } & (
  | { readonly kind: 'connected' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'dropped'; readonly reason: DropReason }
);

export type OutletListener = (event: OutletEvent) => void;

export interface QueueOptions {
  /** Maximum size of the queue; each message counts 128 bytes extra. Default 16 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Which message is dropped when the queue is full. Default `drop-oldest`. */
  readonly whenFull?: 'drop-oldest' | 'drop-newest' | undefined;
  readonly onEvent?: OutletListener | undefined;
}
