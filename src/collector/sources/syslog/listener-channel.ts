import type { Position } from '../../../records/position.ts';
import type { RecordBatch } from '../../../records/record-batch.ts';
import type { Resource } from '../../../records/resource.ts';
import type { Journal } from '../../journal/journal.ts';
import type { JournalWriter } from '../../journal/journal-writer.ts';
import type { RecordLabel } from '../../journal/record-run.ts';
import type { FlushedListener, RecordChannel } from './record-channel.ts';

/**
 * The stream of one listener in the journal. All its connections write to it, and records of all peers share
 * runs: the peer is a column.
 */
export class ListenerChannel implements RecordChannel {
  readonly #writer: JournalWriter;
  readonly #newest: (bytes: number) => Promise<readonly RecordBatch[]>;
  readonly #label: RecordLabel;
  readonly #waiting = new Set<FlushedListener>();
  #line: Buffer = Buffer.allocUnsafeSlow(FIRST_LINE_BYTES);
  #flushed: Position = 0;

  constructor(journal: Journal, origin: string, label: RecordLabel) {
    this.#label = label;
    this.#newest = (bytes) => journal.newest(origin, bytes);
    this.#writer = journal.writer(origin, { onFlushed: (end) => this.#onFlushed(end) });
  }

  /** Everything before it is on disk. */
  get flushed(): Position {
    return this.#flushed;
  }

  /** The newest records of an earlier run, as far as the aggregator has not accepted them. */
  newest(bytes: number): Promise<readonly RecordBatch[]> {
    return this.#newest(bytes);
  }

  /** Appends a message as a line. Returns the position that `flushed` has when the record is on disk. */
  append(message: Uint8Array, peer: Resource): Position | 'full' {
    const size = message.length + 1;
    if (size > this.#line.length) this.#line = Buffer.allocUnsafeSlow(2 * size);
    this.#line.set(message);
    this.#line[message.length] = LF;
    return this.appendLine(this.#line.subarray(0, size), peer);
  }

  /** Appends a record that ends with LF. */
  appendLine(line: Uint8Array, peer?: Resource): Position | 'full' {
    return this.#writer.append(line, this.#label, peer);
  }

  drop(bytes: number): void {
    this.#writer.drop(bytes, this.#label);
  }

  hasRoom(bytes: number): boolean {
    return this.#writer.hasRoom(bytes);
  }

  whenRoom(bytes: number, signal: AbortSignal): Promise<boolean> {
    return this.#writer.whenRoom(bytes, signal);
  }

  flushSoon(): void {
    this.#writer.flushSoon();
  }

  /** It holds nothing back. */
  flushHeld(): void {
    this.flushSoon();
  }

  /** Calls the listener after each commit, until it is removed. */
  add(listener: FlushedListener): void {
    this.#waiting.add(listener);
  }

  remove(listener: FlushedListener): void {
    this.#waiting.delete(listener);
  }

  #onFlushed(end: Position): void {
    this.#flushed = end;
    for (const listener of this.#waiting) listener.onFlushed(end);
  }
}

const FIRST_LINE_BYTES = 64 * 1024;
const LF = 0x0a;
