/**
 * A session that takes what it is given at once and sees to the rest itself: for callers that must not wait and never
 * want to hear of a network's troubles, such as a program that logs.
 */
export interface Outlet {
  /**
   * One message: its packets, or its frame. False: dropped at once, and counted. Never throws; the bytes must not be
   * changed afterwards.
   */
  write(packets: readonly Uint8Array[]): boolean;
  /** Resolves when the queue is less than half full: for callers that would rather wait than lose. */
  room(): Promise<void>;
  /** True when everything taken so far was given to the kernel; false when the deadline came first, or some was dropped. */
  flush(deadline?: AbortSignal): Promise<boolean>;
  /** Takes no more, sends what is there until the deadline, then lets go of everything. Safe twice. */
  close(deadline: AbortSignal): Promise<void>;
  readonly counters: OutletCounters;
}

/**
 * `full`: the queue is; `too-large`: it alone would be; `failed`: could not be sent, and is not sent again; `closed`: came
 * after `close`, or was left at its deadline.
 */
export type DropReason = 'full' | 'too-large' | 'failed' | 'closed';

/** Since the beginning; all but the `queued` ones only grow. Messages, unless the name says bytes. */
export interface OutletCounters {
  readonly sent: number;
  readonly sentBytes: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Written again, since the connection broke before all of it was taken. The receiver may have them twice. */
  readonly retried: number;
  readonly connects: number;
  /** Connections lost, attempts that failed, packets not sent. */
  readonly failures: number;
  readonly queued: number;
  readonly queuedBytes: number;
}

/** What a person should hear of; each kind at most once in 10 s, with how often it has happened meanwhile. */
export type OutletEvent = { readonly address: string; readonly count: number } & (
  | { readonly kind: 'connected' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'dropped'; readonly reason: DropReason }
);

export type OutletListener = (event: OutletEvent) => void;

export interface QueueOptions {
  /** How much may wait, each message with 128 bytes on top. Default 16 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Who goes when it is full. Default `drop-oldest`. */
  readonly whenFull?: 'drop-oldest' | 'drop-newest' | undefined;
  readonly onEvent?: OutletListener | undefined;
}
