import type { Position } from '../../../../records/position.ts';
import type { Resource } from '../../../../records/resource.ts';
import type { StreamId } from '../../../../records/stream-id.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import type { Cutter } from '../../../cutting/cutter.ts';
import type { DetectedEncodings } from '../detected-encodings.ts';
import type { TailEvents } from '../files/events.ts';
import type { FileAccess } from '../files/file-access.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import type { TailEntry } from '../files/tail-configuration.ts';
import type { RecordPlace } from './batch-builder.ts';

/** The parts of a `FileStream`. */
export interface FileStreamParts {
  readonly id: StreamId;
  readonly checkpoint: FileCheckpoint;
  readonly file: FileAccess;
  readonly sizeBytes: number;
  /** The time of the last write, as the file system has it. */
  readonly modifiedUnixMs: number;
  readonly entry: TailEntry;
  /** The attributes of records that are read under this path. */
  readonly resourceAt: (place: RecordPlace, format: string) => Resource;
  /** `encoding`: undefined is UTF-8. */
  readonly cutterOf: (encoding: string | undefined) => Cutter;
  /** Of all files of a source. */
  readonly encodings?: DetectedEncodings;
  readonly clock: Clock;
  readonly events: TailEvents;
  /** Reading stops at this position, but the record that begins before it is read to its end. */
  readonly limit?: Position;
}
