import type { RecordBatch } from '../../records/record-batch.ts';
import type { Connection, RequestOptions } from './connection.ts';
import { type EncodedRecords, encodePart } from './encode-part.ts';
import { type NotedRange, writeNotes } from './flush-notes.ts';
import { insertPart } from './insert-part.ts';
import { NOTHING_BEFORE, storedBefore } from './stored-before.ts';

/**
 * Stores the records of a flush, in parts:
 *
 *     uncertain records only: ask the tables which of them they have
 *     encode             one part after another
 *     insert             while the next part is encoded; at most two parts at once
 *     notes              for readers of new records, after the rows of all parts
 *
 * A failure leaves some of this. Then all records of the flush are uncertain, and the next flush asks the tables.
 */
export class FlushInserts {
  readonly #options: FlushInsertsOptions;
  readonly #parts: Promise<void>[] = [];
  readonly #ranges: NotedRange[] = [];
  readonly #minutes = new Set<number>();
  #encoding: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #rows = 0;
  #repeatedRows = 0;
  #checks = 0;

  constructor(options: FlushInsertsOptions) {
    this.#options = options;
  }

  /** Begins to store the next part; `finish` reports a failure. */
  add(pieces: readonly RecordBatch[], part: FlushPart): void {
    const turn = this.#parts.length;
    const encoded = this.#encoding.then(() => this.#encode(pieces, part, turn));
    const stored = encoded.then((records) =>
      insertPart(records, { ...this.#options, ...this.#target(), token: part.token }),
    );
    this.#encoding = encoded.then(ignore, ignore);
    // A part does not begin after the failure of another one.
    const settled = stored.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#parts.push(settled);
  }

  /**
   * Writes the notes, when all parts are stored. Rejects with the first failure, when no part is in progress: its rows
   * would not be found by the next check.
   */
  async finish({ flush, nowUnixMicro }: FinishedFlush): Promise<FlushResult> {
    await Promise.all(this.#parts);
    if (this.#failure !== undefined) throw this.#failure.error;
    const { connection, request } = this.#target();
    const notes = { ranges: this.#ranges, minutes: this.#minutes };
    const { writer } = this.#options;
    await writeNotes(connection, { writer, flush, nowUnixMicro, ...notes }, request);
    return { rows: this.#rows, repeatedRows: this.#repeatedRows, checks: this.#checks };
  }

  async #encode(
    pieces: readonly RecordBatch[],
    { isUncertain }: FlushPart,
    turn: number,
  ): Promise<EncodedRecords> {
    await this.#parts[turn - MAX_PARTS];
    if (turn === 0) await this.#options.prepare();
    if (this.#failure !== undefined) throw this.#failure.error;
    const { connection, request } = this.#target();
    const before = isUncertain ? await storedBefore(connection, pieces, request) : NOTHING_BEFORE;
    const encoded = await encodePart(pieces, before, this.#options.knownNames);
    for (const range of encoded.ranges) this.#ranges.push(range);
    for (const minute of encoded.minutes) this.#minutes.add(minute);
    this.#rows += encoded.rows;
    this.#repeatedRows += encoded.repeatedRows;
    if (isUncertain) this.#checks++;
    return encoded;
  }

  #target() {
    const { connection, request } = this.#options;
    return { connection: connection(), request };
  }
}

export interface FlushInsertsOptions {
  readonly connection: () => Connection;
  readonly request: Omit<RequestOptions, 'settings'>;
  /** Called before the first part. */
  readonly prepare: () => Promise<void>;
  /** 32 digits, never used by another process. */
  readonly writer: string;
  /** The names that this process has stored; new ones are added. */
  readonly knownNames: Set<string>;
}

export interface FlushPart {
  /** Never used by another part, nor by another process. */
  readonly token: string;
  readonly isUncertain: boolean;
}

export interface FinishedFlush {
  /** The number of the flush. */
  readonly flush: number;
  readonly nowUnixMicro: number;
}

export interface FlushResult {
  readonly rows: number;
  /** Records that were stored before. */
  readonly repeatedRows: number;
  /** How many parts were compared with the tables. */
  readonly checks: number;
}

/** Parts in memory, encoded: a part may be encoded while the one before is inserted. */
const MAX_PARTS = 2;

function ignore(): void {
  // `finish` reports the failure.
}
