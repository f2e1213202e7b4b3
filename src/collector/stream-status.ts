import type { StreamId } from '../records/stream-id.ts';

/** Where one stream stands. Amounts are bytes of this stream: `read` = `accepted` + on its way. */
export interface StreamStatus {
  readonly stream: StreamId;
  /** What a person knows it by: a file's path, a socket. */
  readonly origin: string;
  readonly readBytes: number;
  readonly acceptedBytes: number;
  /** There, and not accepted. */
  readonly waitingBytes: number;
  /** How long the oldest of the waiting bytes has been there; absent when none waits, or nobody knows. */
  readonly oldestWaitingMs?: number;
}
