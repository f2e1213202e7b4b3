import type { Position } from '../../../records/position.ts';
import type { StreamStatus } from '../../stream-status.ts';
import { acceptedBytesOf } from './files/file-checkpoint.ts';
import type { FollowedFiles } from './identity/followed-files.ts';
import type { FileStream } from './reading/file-stream.ts';

/** The totals of all known streams, and the numbers of each one. */
export function tailStatus(files: Pick<FollowedFiles, 'streams' | 'dormant'>, lostBytes: number): TailStatus {
  const streams: TailStreamStatus[] = Array.from(files.streams.values(), statusOf);
  for (const { id, checkpoint } of files.dormant.values()) {
    if (checkpoint.copyOf !== null) continue;
    const [position = 0] = checkpoint.marks.at(-1) ?? [];
    const acceptedBytes = acceptedBytesOf(checkpoint);
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

/** The state of one stream. */
export interface TailStreamStatus extends StreamStatus {
  readonly path: string;
  readonly home: string;
  readonly state: 'open' | 'queued' | 'refused' | 'ended' | 'dormant';
  /** The size of the file in the last scan or read. For a dormant stream, the end of its accepted bytes. */
  readonly sizeBytes: number;
  /** The end of the bytes that were read. */
  readonly position: Position;
  /** The number of bytes that were not read when the file was gone at the start. */
  readonly lostBytes?: number;
  readonly refusal?: string;
}

export interface TailStatus {
  readonly streams: readonly TailStreamStatus[];
  readonly readBytes: number;
  readonly acceptedBytes: number;
  readonly waitingBytes: number;
  readonly oldestWaitingMs?: number;
  /** The bytes that were lost before they could be read, in all runs with this state. */
  readonly lostBytes: number;
}

/** The state of a stream besides its path, which the explanation of a file has already. */
export type ExplainedStatus = Omit<TailStreamStatus, 'path' | 'origin'>;

export function explainedStatusOf(stream: FileStream): ExplainedStatus {
  const { path: _path, origin: _origin, ...status } = statusOf(stream);
  return status;
}

export function statusOf(stream: FileStream): TailStreamStatus {
  const { id, path, home, sizeBytes, position, accepted, start, acceptedBefore, refusal } = stream;
  const { oldestUnacceptedMs } = stream.content;
  const end = stream.isEnded ? position : Math.max(stream.content.end, position);
  return {
    ...{ stream: id, origin: path, path, home, state: stateOf(stream), sizeBytes, position },
    readBytes: position - start + acceptedBefore,
    acceptedBytes: accepted - start + acceptedBefore,
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
