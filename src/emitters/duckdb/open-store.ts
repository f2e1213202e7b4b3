import { randomUUID } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '../../runtime/clock.ts';
import type { DuckDbConfiguration } from './configuration.ts';
import { DuckDbQueries } from './duckdb-queries.ts';
import { FlushTransaction } from './flush-transaction.ts';
import { LogRows } from './log-rows.ts';
import { Retention } from './retention.ts';
import { SketchBuilder } from './sketch-builder.ts';
import { CHECKPOINT_BYTES, StoreFile } from './store-file.ts';
import { StoredStreams } from './stored-streams.ts';
import { TextSketches } from './text-sketches.ts';

const OVERDUE_LOG_BYTES = 4 * CHECKPOINT_BYTES;

/**
 * An open file with one writer and concurrent queries. All knowledge about the file ends with this object.
 */
export class OpenStore {
  readonly queries: DuckDbQueries;
  readonly retention: Retention;
  readonly #file: StoreFile;
  readonly #writer: DuckDBConnection;
  readonly #rows: LogRows;
  #streams: StoredStreams;
  #sketches: TextSketches;
  #builder: SketchBuilder;
  #writerId = randomUUID();
  #flushes = 0;

  private constructor(parts: OpenParts) {
    this.#file = parts.file;
    this.#writer = parts.writer;
    this.#rows = parts.rows;
    this.queries = parts.queries;
    this.#streams = new StoredStreams(parts.writer);
    this.#sketches = new TextSketches(parts.writer);
    this.#builder = new SketchBuilder(parts.writer, this.#sketches);
    const { retention_age: ageMs, retention_size: sizeBytes } = parts.configuration;
    this.retention = new Retention(parts.writer, { ageMs, sizeBytes });
  }

  /** Rejects with StoreUnavailable. */
  static async open(path: string, configuration: DuckDbConfiguration, clock: Clock): Promise<OpenStore> {
    const file = await StoreFile.open(path, configuration);
    try {
      const { native, connection } = await file.connect();
      const queries = await DuckDbQueries.open(file, clock);
      return new OpenStore({ file, writer: connection, rows: new LogRows(native), queries, configuration });
    } catch (error) {
      file.close();
      throw error;
    }
  }

  async begin(): Promise<FlushTransaction> {
    const transaction = new FlushTransaction({
      connection: this.#writer,
      rows: this.#rows,
      streams: this.#streams,
      sketches: this.#sketches,
      writer: this.#writerId,
      flush: this.#flushes + 1,
    });
    await transaction.begin();
    return transaction;
  }

  async commit(transaction: FlushTransaction, nowUnixMicro: number): Promise<void> {
    await transaction.commit(nowUnixMicro);
    // Flush numbers have no gap: a transaction without rows has no number.
    if (transaction.rowCount > 0) this.#flushes++;
  }

  /** Builds the next sketch; resolves with whether there is more to do. Not within a transaction. */
  async sketch(nowUnixMicro: number): Promise<boolean> {
    return await this.#builder.step(nowUnixMicro);
  }

  /**
   * Called after a failure. It is unknown whether a failed commit is in the file: the ranges are read again,
   * and another writer begins, so that no flush number is used twice. False: the file has to be opened again.
   */
  async recover(): Promise<boolean> {
    this.#streams = new StoredStreams(this.#writer);
    this.#sketches = new TextSketches(this.#writer);
    this.#builder = new SketchBuilder(this.#writer, this.#sketches);
    this.#writerId = randomUUID();
    this.#flushes = 0;
    // Usually there is nothing to roll back, and this fails. Only the next begin matters.
    await this.#writer.run('rollback').catch(() => undefined);
    try {
      await this.#writer.run('begin transaction');
      await this.#writer.run('rollback');
      return true;
    } catch {
      return false;
    }
  }

  /**
   * DuckDB can checkpoint only while there are no readers. If there always are some, the log would grow
   * without end: then all queries have to wait once.
   */
  async isCheckpointOverdue(): Promise<boolean> {
    return (await this.#file.logBytes()) > OVERDUE_LOG_BYTES;
  }

  async checkpoint(): Promise<void> {
    await this.queries.whileQuiet(() => this.#writer.run('checkpoint'));
  }

  /** The writer must be idle; queries are interrupted. */
  async close(): Promise<void> {
    await this.queries.close();
    this.#file.close();
  }
}

interface OpenParts {
  readonly file: StoreFile;
  readonly writer: DuckDBConnection;
  readonly rows: LogRows;
  readonly queries: DuckDbQueries;
  readonly configuration: DuckDbConfiguration;
}
