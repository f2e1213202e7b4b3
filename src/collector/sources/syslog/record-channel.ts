import type { Position } from '../../../records/position.ts';
import type { Resource } from '../../../records/resource.ts';
import type { AppendedRun } from '../../journal/record-run.ts';

/** Where a listener puts its messages: the journal, or the packer before it. */
export interface RecordChannel {
  /** Everything before it is on disk. */
  readonly flushed: Position;
  /** Appends a message. Returns the value that `flushed` has when the message is on disk. */
  append(message: Uint8Array, peer: Resource): Position | 'full';
  /** Appends a record that ends with LF. */
  appendLine(line: Uint8Array, peer?: Resource): Position | 'full';
  /**
   * Appends records that each end with LF: all of them, or `full` and none. They are on disk together. Absent: the channel
   * decides about each message.
   */
  appendRun?(run: AppendedRun): Position | 'full';
  drop(bytes: number): void;
  hasRoom(bytes: number): boolean;
  whenRoom(bytes: number, signal: AbortSignal): Promise<boolean>;
  flushSoon(): void;
  /** The caller cannot continue before its messages are on disk: no message is held back. */
  flushHeld(): void;
  /** Calls the listener after each commit, until it is removed. */
  add(listener: FlushedListener): void;
  remove(listener: FlushedListener): void;
}

export interface FlushedListener {
  onFlushed(end: Position): void;
}
