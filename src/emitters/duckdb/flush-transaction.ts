import type { DuckDBConnection } from '@duckdb/node-api';
import { OWN_NAMES_TABLE } from '../../logstore/own-names.ts';
import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { MICRO_PER_MINUTE } from '../../logstore/stored-times.ts';
import type { Batch } from '../../records/batch.ts';
import { outside } from '../../records/ranges.ts';
import { endOf, type RecordBatch, sliceBytes } from '../../records/record-batch.ts';
import type { LogRows } from './log-rows.ts';
import { runStatement } from './run-statement.ts';
import type { StoredStreams } from './stored-streams.ts';
import type { TextSketches } from './text-sketches.ts';

/** The new records of one stream in a flush. */
interface BroughtRange {
  readonly stream: string;
  readonly range_start: number;
  range_end: number;
  min_time: number;
  max_time: number;
}

/**
 * Writes the rows of one flush and all data about them in one transaction: see `logstore/schema.ts`.
 *
 * Only the parts of a slice outside of the stored ranges of its stream are written. So a record may be
 * emitted any number of times, and the result of a flush may be lost.
 *
 * Existing rows are updated, then missing ones are inserted. `on conflict do update` would do both, but it
 * deletes and inserts, and if such a COMMIT fails on a full disk, DuckDB (1.5.6) cannot roll it back and
 * terminates the process.
 */
export class FlushTransaction {
  readonly #parts: FlushParts;
  readonly #minutes = new Set<number>();
  readonly #names = new Set<string>();
  readonly #brought: BroughtRange[] = [];
  #rowCount = 0;
  #hasDropped = false;

  constructor(parts: FlushParts) {
    this.#parts = parts;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** Nothing was added: neither rows nor ranges of dropped records. */
  get isEmpty(): boolean {
    return this.#rowCount === 0 && !this.#hasDropped;
  }

  async begin(): Promise<void> {
    await this.#parts.connection.run('begin transaction');
    this.#parts.rows.begin();
  }

  /** Rejects with any error of the database; then the transaction has to be rolled back. */
  async append({ slices, dropped = [] }: Batch): Promise<void> {
    const { streams } = this.#parts;
    await streams.load([...slices, ...dropped].map(({ stream }) => stream));
    for (const slice of slices) {
      for (const { start, end } of outside(
        { start: slice.start, end: endOf(slice) },
        streams.ranges(slice.stream),
      )) {
        this.#appendNew(sliceBytes(slice, start, end));
      }
    }
    for (const range of dropped) {
      if (outside(range, streams.ranges(range.stream)).length === 0) continue;
      streams.add(range.stream, range);
      this.#hasDropped = true;
    }
  }

  /** When this resolves, everything is on disk. */
  async commit(nowUnixMicro: number): Promise<void> {
    const { connection, rows, streams, sketches } = this.#parts;
    rows.finish();
    const statements = [
      ...streams.statements(nowUnixMicro),
      // Without rows there is nothing to note for metrics.
      ...(this.#rowCount === 0 ? [] : this.#notes(nowUnixMicro)),
      ...this.#ownNames(),
    ];
    for (const statement of statements) await this.#run(statement);
    await sketches.invalidate(this.#minutes);
    await connection.run('commit');
    streams.committed();
    sketches.committed();
  }

  async rollback(): Promise<void> {
    const { connection, rows, streams, sketches } = this.#parts;
    streams.rolledBack();
    sketches.rolledBack();
    try {
      rows.abandon();
    } finally {
      await connection.run('rollback');
    }
  }

  #appendNew(slice: RecordBatch): void {
    const { rows, streams } = this.#parts;
    const { minUnixMicro, maxUnixMicro } = rows.append(slice, {
      minutes: this.#minutes,
      names: this.#names,
    });
    const range = { start: slice.start, end: endOf(slice) };
    streams.add(slice.stream, range);
    this.#rowCount += slice.sizes.length;
    const last = this.#brought.at(-1);
    if (last?.stream === slice.stream && last.range_end === range.start) {
      last.range_end = range.end;
      last.min_time = Math.min(last.min_time, minUnixMicro);
      last.max_time = Math.max(last.max_time, maxUnixMicro);
    } else {
      this.#brought.push({
        stream: slice.stream,
        range_start: range.start,
        range_end: range.end,
        min_time: minUnixMicro,
        max_time: maxUnixMicro,
      });
    }
  }

  #notes(nowUnixMicro: number): SqlStatement[] {
    const { writer, flush } = this.#parts;
    return [
      {
        text: 'update writers set last_flush = $2, seen_at = make_timestamptz($3) where writer = $1::uuid',
        values: [writer, flush, nowUnixMicro],
      },
      {
        text: 'insert into writers values ($1::uuid, $2, make_timestamptz($3)) on conflict (writer) do nothing',
        values: [writer, flush, nowUnixMicro],
      },
      {
        text: `insert into stored_ranges select $1::uuid, $2, make_timestamptz($3), each.stream, each.range_start,
            each.range_end, make_timestamptz(each.min_time), make_timestamptz(each.max_time)
          from (select unnest(from_json($4, '[{"stream":"UUID","range_start":"BIGINT","range_end":"BIGINT",
            "min_time":"BIGINT","max_time":"BIGINT"}]')) as each)`,
        values: [writer, flush, nowUnixMicro, JSON.stringify(this.#brought)],
      },
      {
        text: `insert into touched_minutes select $1::uuid, $2, make_timestamptz($3), make_timestamptz(minute)
          from (select unnest(cast(string_split($4, ',') as bigint[])) as minute)`,
        values: [
          writer,
          flush,
          nowUnixMicro,
          [...this.#minutes].map((minute) => minute * MICRO_PER_MINUTE).join(','),
        ],
      },
    ];
  }

  #ownNames(): SqlStatement[] {
    return [...this.#names].map((name) => ({
      text: `insert into ${OWN_NAMES_TABLE} (name) values ($1) on conflict (name) do nothing`,
      values: [name],
    }));
  }

  async #run(statement: SqlStatement): Promise<void> {
    await runStatement(this.#parts.connection, statement);
  }
}

export interface FlushParts {
  readonly connection: DuckDBConnection;
  readonly rows: LogRows;
  readonly streams: StoredStreams;
  readonly sketches: TextSketches;
  readonly writer: string;
  /** The number of this flush of the writer: 1, 2, 3, ... */
  readonly flush: number;
}
