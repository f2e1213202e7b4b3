import type { StreamId } from '../records/stream-id.ts';

/** The status of one stream. Amounts are bytes of this stream: `read` = `accepted` + pending. */
export interface StreamStatus {
  readonly stream: StreamId;
  /** A name for people: a file's path, a socket. */
  readonly origin: string;
  readonly readBytes: number;
  readonly acceptedBytes: number;
  /** Available and not accepted. */
  readonly waitingBytes: number;
  /** Age of the oldest waiting byte; absent when none waits, or the age is unknown. */
  readonly oldestWaitingMs?: number;
}
