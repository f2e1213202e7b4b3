import type { Amount } from '../../../records/amount.ts';
import type { Position } from '../../../records/position.ts';
import type { Resource } from '../../../records/resource.ts';
import type { Journal } from '../../journal/journal.ts';
import type { JournalWriter } from '../../journal/journal-writer.ts';
import type { AppendedRun, RecordLabel } from '../../journal/record-run.ts';
import type { FlushedListener, RecordChannel } from './record-channel.ts';
import type { ResendWindow } from './resend-window.ts';

/**
 * The stream of one listener in the journal. All its connections write to it, and records of all peers share
 * runs: the peer is a column.
 */
export class ListenerChannel implements RecordChannel {
  readonly #writer: JournalWriter;
  readonly #label: RecordLabel;
  readonly #waiting = new Set<FlushedListener>();
  #flushed: Position = 0;
  #dropped = 0;
  #records = 0;
  #bytes = 0;

  constructor({ journal, origin, label, resends, isPacked = false }: ListenerChannelOptions) {
    this.#label = label;
    this.#writer = journal.writer(origin, {
      onFlushed: (end) => this.#onFlushed(end),
      ...(resends && {
        onStoring: (end) => resends.storing(end),
        onStored: () => resends.stored(),
        // By `rememberRecovered`.
        isStoringRedone: !isPacked,
      }),
    });
  }

  /** Messages that had no room, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Records that were appended since the start, and their bytes. */
  get received(): Amount {
    return { records: this.#records, bytes: this.#bytes };
  }

  /** Everything before it is on disk. */
  get flushed(): Position {
    return this.#flushed;
  }

  /** Appends a message as a line. Returns the position that `flushed` has when the record is on disk. */
  append(message: Uint8Array, peer: Resource): Position | 'full' {
    const end = this.#writer.appendWithLf(message, this.#label, peer);
    return this.#counted(end, { records: 1, bytes: message.length + 1 });
  }

  /** Appends a record that ends with LF. */
  appendLine(line: Uint8Array, peer?: Resource): Position | 'full' {
    return this.#counted(this.#writer.append(line, this.#label, peer), { records: 1, bytes: line.length });
  }

  appendRun(run: AppendedRun): Position | 'full' {
    const end = this.#writer.appendRun(run, this.#label);
    return this.#counted(end, { records: run.sizes.length, bytes: run.data.length });
  }

  #counted(end: Position | 'full', { records, bytes }: Amount): Position | 'full' {
    if (end === 'full') return end;
    this.#records += records;
    this.#bytes += bytes;
    return end;
  }

  drop(bytes: number): void {
    this.#dropped++;
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

export interface ListenerChannelOptions {
  readonly journal: Pick<Journal, 'writer'>;
  readonly origin: string;
  readonly label: RecordLabel;
  /** Written together with the records. */
  readonly resends?: Pick<ResendWindow, 'storing' | 'stored'> | undefined;
  /** The records are made of several messages, so their fingerprints cannot be computed from them. */
  readonly isPacked?: boolean;
}
