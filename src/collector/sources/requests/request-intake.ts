import type { Amount } from '../../../records/amount.ts';
import type { Position } from '../../../records/position.ts';
import type { Resource } from '../../../records/resource.ts';
import type { Journal } from '../../journal/journal.ts';
import { type JournalWriter, RECORD_OVERHEAD_BYTES } from '../../journal/journal-writer.ts';
import type { RecordLabel } from '../../journal/record-run.ts';

/** `stored`: on disk. `full`: nothing is kept. `stopped`: the source stops, and the request may be on disk. */
export type IntakeOutcome = 'stored' | 'full' | 'stopped';

export interface IntakeRecord {
  /** At least one byte, unless LF is added. */
  readonly bytes: Uint8Array;
  readonly label: RecordLabel;
  readonly peer?: Resource | undefined;
  /** LF follows the bytes. */
  readonly addsLf?: boolean;
}

/**
 * The stream of one listener in the journal. A request is appended as a whole or not at all, and is answered when its
 * records are on disk.
 */
export class RequestIntake {
  readonly #writer: JournalWriter;
  /** In the order of their positions. */
  #waiting: WaitingRequest[] = [];
  #isStopped = false;
  #records = 0;
  #bytes = 0;

  constructor({ journal, origin }: RequestIntakeOptions) {
    this.#writer = journal.writer(origin, { onFlushed: (end) => this.#onFlushed(end) });
  }

  /** Records that were appended since the start, and their bytes. */
  get received(): Amount {
    return { records: this.#records, bytes: this.#bytes };
  }

  /** The caller limits the size of the records together: the journal must be able to have room for them. */
  async accept(records: readonly IntakeRecord[]): Promise<IntakeOutcome> {
    if (records.length === 0) return 'stored';
    if (this.#isStopped) return 'stopped';
    const totalBytes = journalBytes(records);
    if (!this.#writer.hasRoom(totalBytes)) return 'full';
    const end = this.#append(records);
    if (end === 'full') return 'full';
    this.#records += records.length;
    this.#bytes += totalBytes - records.length * RECORD_OVERHEAD_BYTES;
    this.#writer.flushSoon();
    const isStored = await new Promise<boolean>((resolve) => this.#waiting.push({ end, resolve }));
    return isStored ? 'stored' : 'stopped';
  }

  /** No further requests. Those that wait are answered when they are on disk, or after `abandon`. */
  stop(): void {
    this.#isStopped = true;
    this.#writer.flushSoon();
  }

  abandon(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve(false);
  }

  #append(records: readonly IntakeRecord[]): Position | 'full' {
    let end: Position | 'full' = 'full';
    for (const { bytes, label, peer, addsLf } of records)
      end =
        addsLf === true
          ? this.#writer.appendWithLf(bytes, label, peer)
          : this.#writer.append(bytes, label, peer);
    return end;
  }

  #onFlushed(end: Position): void {
    const first = this.#waiting.findIndex((each) => each.end > end);
    const flushed = this.#waiting.splice(0, first === -1 ? this.#waiting.length : first);
    for (const { resolve } of flushed) resolve(true);
  }
}

export interface RequestIntakeOptions {
  readonly journal: Pick<Journal, 'writer'>;
  readonly origin: string;
}

interface WaitingRequest {
  readonly end: Position;
  readonly resolve: (isStored: boolean) => void;
}

/** The size of the records, and of what the journal needs besides. */
export function journalBytes(records: readonly IntakeRecord[]): number {
  let bytes = 0;
  for (const record of records)
    bytes += record.bytes.length + (record.addsLf === true ? 1 : 0) + RECORD_OVERHEAD_BYTES;
  return bytes;
}
