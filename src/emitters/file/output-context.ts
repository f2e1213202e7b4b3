import type { FileEvents } from './events.ts';
import type { FileSystem } from './file-system.ts';

/** Dependencies and settings that all output files of an emitter share. */
export interface OutputContext {
  readonly disk: FileSystem;
  readonly events: FileEvents;
  readonly mode: number;
  readonly fsync: boolean;
}
