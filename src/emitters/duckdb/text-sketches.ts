import type { DuckDBConnection } from '@duckdb/node-api';
import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { numberOf } from '../../logstore/sql/sql-row.ts';
import { SKETCH_PAGES, type TextSketch } from '../../logstore/text/text-sketch.ts';
import type { TimeRange } from '../../logstore/text/time-ranges.ts';
import { runStatement } from './run-statement.ts';
import { SketchedRanges } from './sketched-ranges.ts';

export const SKETCH_TABLE = 'text_sketches';

/** Sketches of the bodies of time ranges (`logstore/text/text-sketch.ts`), a row for each page. */
export const TEXT_SKETCHES = `create table if not exists ${SKETCH_TABLE} (range_start timestamptz not null,
  range_end timestamptz not null, page smallint not null, bits bit not null using compression uncompressed)`;

/**
 * The table of the sketches, and a copy of its ranges in memory.
 *
 * A sketch must cover every record in its time range. So a flush with a record in the range deletes the sketch, in its
 * own transaction (`invalidate`): the sketch and the rows that it lacks are never both visible. Deleted records may stay
 * in a sketch.
 *
 * ONE WRITER. Only the writer's connection changes the table, and calls come one after another. After a failed commit,
 * whose result is unknown, there is a new object, which reads the table again.
 */
export class TextSketches {
  readonly #connection: DuckDBConnection;
  #ranges: SketchedRanges | undefined;
  #invalidated: readonly TimeRange[] = [];

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  async ranges(): Promise<SketchedRanges> {
    this.#ranges ??= await this.#read();
    return this.#ranges;
  }

  /** Within the transaction of a flush with records in these minutes since 1970. */
  async invalidate(minutes: Iterable<number>): Promise<void> {
    this.#invalidated = (await this.ranges()).touched(minutes);
    await this.#delete(this.#invalidated);
  }

  committed(): void {
    this.#ranges?.delete(this.#invalidated);
    this.#invalidated = [];
  }

  rolledBack(): void {
    this.#invalidated = [];
  }

  /** Outside of a transaction: a sketch is stored completely, or not at all. */
  async add({ fromUnixMicro, toUnixMicro }: TimeRange, sketch: TextSketch): Promise<void> {
    const ranges = await this.ranges();
    const prepared = await this.#connection.prepare(INSERT);
    try {
      prepared.bindBigInt(1, BigInt(fromUnixMicro));
      prepared.bindBigInt(2, BigInt(toUnixMicro));
      for (let page = 0; page < SKETCH_PAGES; page++) prepared.bindBlob(page + 3, sketch.page(page));
      await this.#forgetOnFailure(prepared.run());
    } finally {
      prepared.destroySync();
    }
    ranges.add({ fromUnixMicro, toUnixMicro });
  }

  /** Deletes the sketches of ranges that end before this time, outside of a transaction. */
  async deleteBefore(unixMicro: number): Promise<void> {
    const ranges = await this.ranges();
    const old: TimeRange[] = [];
    for (const range of ranges) {
      if (range.toUnixMicro > unixMicro) break;
      old.push(range);
    }
    await this.#forgetOnFailure(this.#delete(old));
    ranges.delete(old);
  }

  async #delete(ranges: readonly TimeRange[]): Promise<void> {
    if (ranges.length > 0) await runStatement(this.#connection, deletion(ranges));
  }

  /** The result of a failed statement is unknown: the table is read again. */
  async #forgetOnFailure(statement: Promise<unknown>): Promise<void> {
    try {
      await statement;
    } catch (error) {
      this.#ranges = undefined;
      throw error;
    }
  }

  async #read(): Promise<SketchedRanges> {
    const rows = await runStatement(this.#connection, { text: SELECT_RANGES, values: [] });
    return new SketchedRanges(
      rows.map((row) => ({
        fromUnixMicro: numberOf(row, 'from_micro'),
        toUnixMicro: numberOf(row, 'to_micro'),
      })),
    );
  }
}

// One page of each sketch is enough.
const SELECT_RANGES = `select epoch_us(range_start) as from_micro, epoch_us(range_end) as to_micro from ${SKETCH_TABLE}
  where page = 0 order by 1`;

const INSERT = `insert into ${SKETCH_TABLE} select make_timestamptz($1), make_timestamptz($2), page, bits::bit
  from (values ${Array.from({ length: SKETCH_PAGES }, (_, page) => `(${page}::smallint, $${page + 3}::blob)`).join(', ')})
    as pages (page, bits)`;

function deletion(ranges: readonly TimeRange[]): SqlStatement {
  return {
    text: `delete from ${SKETCH_TABLE} where epoch_us(range_start) in
      (select unnest(cast(string_split($1, ',') as bigint[])))`,
    values: [ranges.map(({ fromUnixMicro }) => fromUnixMicro).join(',')],
  };
}
