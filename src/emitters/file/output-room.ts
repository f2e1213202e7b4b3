import type { FileEvents } from './events.ts';
import type { FileSystem } from './file-system.ts';

/** What all output files of an emitter share. */
export interface OutputRoom {
  readonly disk: FileSystem;
  readonly events: FileEvents;
  readonly mode: number;
  readonly fsync: boolean;
}
