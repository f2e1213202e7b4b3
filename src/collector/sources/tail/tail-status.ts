import type { Position } from '../../../records/position.ts';
import type { StreamStatus } from '../../stream-status.ts';
import type { FollowedFiles } from './identity/followed-files.ts';
import type { FileStream } from './reading/file-stream.ts';

/** Where one file stands. */
export interface TailStreamStatus extends StreamStatus {
  readonly path: string;
  readonly home: string;
  readonly state: 'open' | 'queued' | 'refused' | 'ended' | 'dormant';
  /** The size of the file when it was seen last; what the stream holds when there is no file. */
  readonly sizeBytes: number;
  /** Where reading stands. */
  readonly position: Position;
  /** How many bytes were not read when its file was gone at the start. */
  readonly lostBytes?: number;
  readonly refusal?: string;
}

export interface TailStatus {
  readonly streams: readonly TailStreamStatus[];
  readonly readBytes: number;
  readonly acceptedBytes: number;
  readonly waitingBytes: number;
  readonly oldestWaitingMs?: number;
  /** With this state, for any reason: bytes that were gone before they could be read. */
  readonly lostBytes: number;
}

/** The tail's part of the balance: of every stream that is remembered, and summed. */
export function tailStatus(files: FollowedFiles, lostBytes: number): TailStatus {
  const streams: TailStreamStatus[] = Array.from(files.streams.values(), statusOf);
  for (const { id, checkpoint } of files.dormant.values()) {
    if (checkpoint.copyOf !== null) continue;
    const [position = 0] = checkpoint.marks.at(-1) ?? [];
    const acceptedBytes = position - checkpoint.start;
    const { path, home, lostBytes = 0 } = checkpoint;
    streams.push({
      ...{ stream: id, origin: path, path, home, state: 'dormant', sizeBytes: position, position },
      ...{ readBytes: acceptedBytes, acceptedBytes, waitingBytes: 0 },
      ...(lostBytes > 0 ? { lostBytes } : {}),
    });
  }
  const sum = (of: (stream: TailStreamStatus) => number) =>
    streams.reduce((total, stream) => total + of(stream), 0);
  const ages = streams.flatMap(({ oldestWaitingMs }) => oldestWaitingMs ?? []);
  return {
    streams,
    readBytes: sum(({ readBytes }) => readBytes),
    acceptedBytes: sum(({ acceptedBytes }) => acceptedBytes),
    waitingBytes: sum(({ waitingBytes }) => waitingBytes),
    lostBytes,
    ...(ages.length === 0 ? {} : { oldestWaitingMs: Math.max(...ages) }),
  };
}

export function statusOf(stream: FileStream): TailStreamStatus {
  const { id, path, home, sizeBytes, position, accepted, start, refusal } = stream;
  const { oldestUnacceptedMs } = stream.content;
  const end = stream.isEnded ? position : Math.max(stream.content.end, position);
  return {
    ...{ stream: id, origin: path, path, home, state: stateOf(stream), sizeBytes, position },
    readBytes: position - start,
    acceptedBytes: accepted - start,
    waitingBytes: end - accepted,
    ...(end === accepted || oldestUnacceptedMs === undefined ? {} : { oldestWaitingMs: oldestUnacceptedMs }),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

function stateOf(stream: FileStream): TailStreamStatus['state'] {
  if (stream.isEnded) return 'ended';
  if (!stream.isOpened) return 'queued';
  return stream.refusal === undefined ? 'open' : 'refused';
}
