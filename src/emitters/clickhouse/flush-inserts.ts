import type { RecordBatch } from '../../records/record-batch.ts';
import type { Connection, RequestOptions } from './connection.ts';
import { type NotedRange, writeNotes } from './flush-notes.ts';
import { insertPart } from './insert-part.ts';
import type { KnownRecords } from './known-records.ts';
import { PartEncoder } from './part-encoder.ts';
import type { SpareBlocks } from './spare-blocks.ts';
import { NOTHING_BEFORE, type StoredBefore, storedBefore } from './stored-before.ts';

/**
 * Stores the records of a flush, in parts:
 *
 *     uncertain records only: ask the tables which of them they have
 *     encode             when the records are added, one after another, until a part is full
 *     insert             while the next part is encoded; at most two parts are in memory
 *     notes              for readers of new records, after the rows of all parts
 *
 * A failure leaves some of this. Then all records of the flush are uncertain, and the next flush asks the tables.
 */
export class FlushInserts {
  readonly #options: FlushInsertsOptions;
  readonly #parts: Promise<void>[] = [];
  readonly #ranges: NotedRange[] = [];
  readonly #minutes = new Set<number>();
  #encoding: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  /** The part that is not full. */
  #part: PartEncoder | undefined;
  #failure: { readonly error: unknown } | undefined;
  #rows = 0;
  #repeatedRows = 0;
  #checks = 0;

  constructor(options: FlushInsertsOptions) {
    this.#options = options;
  }

  /**
   * Begins to store more records. Resolves when the next ones may be added: immediately while few are not encoded,
   * otherwise when those before these are. `finish` reports a failure.
   */
  async add(pieces: readonly RecordBatch[]): Promise<void> {
    const sizeBytes = pieces.reduce((sum, { data }) => sum + data.length, 0);
    const before = this.#encoding;
    this.#waitingBytes += sizeBytes;
    this.#encoding = before
      .then(() => this.#encode(pieces))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#waitingBytes -= sizeBytes;
      });
    if (this.#waitingBytes > WAITING_BYTES) await before;
  }

  /**
   * Writes the notes, when all parts are stored. Rejects with the first failure, when no part is in progress: its rows
   * would not be found by the next check.
   */
  async finish({ flush, nowUnixMicro }: FinishedFlush): Promise<FlushResult> {
    await this.#encoding;
    this.#closePart();
    await Promise.all(this.#parts);
    if (this.#failure !== undefined) throw this.#failure.error;
    const { connection, request } = this.#target();
    const notes = { ranges: this.#ranges, minutes: this.#minutes };
    const { writer } = this.#options;
    await writeNotes(connection, { writer, flush, nowUnixMicro, ...notes }, request);
    return { rows: this.#rows, repeatedRows: this.#repeatedRows, checks: this.#checks };
  }

  async #encode(pieces: readonly RecordBatch[]): Promise<void> {
    if (this.#failure !== undefined) return;
    if (this.#part === undefined && this.#parts.length === 0) await this.#options.prepare();
    const before = await this.#storedBefore(pieces);
    for (const piece of pieces) {
      const part = await this.#openPart();
      await part.add(piece, before);
      if (part.bytes >= PART_BYTES) this.#closePart();
    }
  }

  /** A part does not begin after the failure of another one. */
  async #openPart(): Promise<PartEncoder> {
    if (this.#part === undefined) await this.#parts.at(-MAX_PARTS);
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#part ??= new PartEncoder(this.#options.spare);
    return this.#part;
  }

  /** Begins to insert the part. */
  #closePart(): void {
    const part = this.#part;
    this.#part = undefined;
    if (part === undefined || this.#failure !== undefined) return;
    for (const range of part.ranges) this.#ranges.push(range);
    for (const minute of part.minutes) this.#minutes.add(minute);
    this.#rows += part.rows;
    this.#repeatedRows += part.repeatedRows;
    const token = this.#options.nextToken();
    const inserted = insertPart(part, { ...this.#options, ...this.#target(), token });
    this.#parts.push(
      inserted.catch((error: unknown) => {
        this.#failure ??= { error };
      }),
    );
  }

  async #storedBefore(pieces: readonly RecordBatch[]): Promise<StoredBefore> {
    const { known } = this.#options;
    const uncertain = known.uncertainOf(pieces);
    if (uncertain.length === 0) return NOTHING_BEFORE;
    const { connection, request } = this.#target();
    const before = await storedBefore(connection, uncertain, request);
    known.found(before.ends);
    this.#checks++;
    return before;
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
  /** Returns a token that no other part has, nor one of another process. */
  readonly nextToken: () => string;
  /** The names that this process has stored; new ones are added. */
  readonly knownNames: Set<string>;
  readonly known: Pick<KnownRecords, 'uncertainOf' | 'found'>;
  readonly spare: SpareBlocks;
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
  /** How often records were compared with the tables. */
  readonly checks: number;
}

/** Bytes of records. An INSERT of this size is cheap to merge. */
const PART_BYTES = 16 * 1024 * 1024;
/** Of records that are not encoded: then the encoder need not wait for each batch. */
const WAITING_BYTES = 1024 * 1024;
/** In memory, encoded: one is encoded while the one before is inserted. */
const MAX_PARTS = 2;
