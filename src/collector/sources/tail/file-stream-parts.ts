import type { Position } from '../../../records/position.ts';
import type { Resource } from '../../../records/resource.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Cutter } from '../../cutting/cutter.ts';
import type { TailEvents } from './events.ts';
import type { FileAccess } from './file-access.ts';
import type { FileCheckpoint } from './file-checkpoint.ts';
import type { FileStream } from './file-stream.ts';
import type { TailEntry } from './tail-configuration.ts';

/** What a stream tells the one that decides what its file is. All of it returns at once. */
export interface FileStreamOwner {
  /** At its place are other bytes than those it has read, or none. */
  contentLost(stream: FileStream): void;
  /** Its file is there and cannot be read. */
  unreadable(stream: FileStream): void;
  /** The aggregator knows other bytes under its id: another stream has to go on in its place. */
  diverged(stream: FileStream): void;
  /** Its checkpoint has changed. */
  changed(stream: FileStream): void;
  /** It was read to the end of what is there now, or something of it was accepted. */
  progressed(stream: FileStream): void;
  /** It is to be read again. */
  wake(stream: FileStream): void;
}

export interface FileStreamParts {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
  readonly file: FileAccess;
  readonly sizeBytes: number;
  /** When the file was written last, by its own word. */
  readonly modifiedUnixMs: number;
  readonly entry: TailEntry;
  /** What the records carry that are read under this path. */
  readonly resourceAt: (path: string) => Resource;
  readonly cutter: Cutter;
  readonly owner: FileStreamOwner;
  readonly clock: Clock;
  readonly events: TailEvents;
  /** Reads no further than this, but for the end of a record that begins before it. */
  readonly limit?: Position;
}
