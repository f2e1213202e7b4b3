import type { DuckDBConnection } from '@duckdb/node-api';
import { LOG_TABLE } from '../../logstore/log-columns.ts';
import type { SqlValue } from '../../logstore/sql/sql.ts';
import type { SqlRow } from '../../logstore/sql/sql-database.ts';
import { numberOf, numberOrNull } from '../../logstore/sql/sql-row.ts';
import { MICRO_PER_MINUTE } from '../../logstore/stored-times.ts';
import { TextSketch } from '../../logstore/text/text-sketch.ts';
import type { TimeRange } from '../../logstore/text/time-ranges.ts';
import { runStatement } from './run-statement.ts';
import { visitTexts } from './text-cells.ts';
import type { TextSketches } from './text-sketches.ts';

/**
 * Builds the sketches of stored records, one in each step, from the oldest records to the newest ones. The caller lets
 * flushes run between two steps.
 *
 * A time range gets a sketch when it has some 60,000 records, and no record has arrived for it in ten minutes: the
 * next one would delete it. Until then, a search reads its records. A range that is too busy, or too small between two
 * others, is left out; it is tried again after ten minutes.
 *
 * If the texts of a range have so many grams that most bits are set, the next ranges are smaller.
 */
export class SketchBuilder {
  readonly #connection: DuckDBConnection;
  readonly #sketches: TextSketches;
  readonly #rowsOfRange: number;
  readonly #sketch = new TextSketch();
  #wantedRows: number;
  /** Ranges before this time have a sketch, or are left out for now. */
  #cursor = 0;
  #beganUnixMicro = 0;
  #widthMicro = 60 * MICRO_PER_MINUTE;

  constructor(connection: DuckDBConnection, sketches: TextSketches, rowsOfRange = ROWS_OF_RANGE) {
    this.#connection = connection;
    this.#sketches = sketches;
    this.#rowsOfRange = rowsOfRange;
    this.#wantedRows = rowsOfRange;
  }

  /** Resolves with whether there is more to do now. The connection must not have a transaction. */
  async step(nowUnixMicro: number): Promise<boolean> {
    if (nowUnixMicro - this.#beganUnixMicro >= SETTLED_MICRO) await this.#beginAgain(nowUnixMicro);
    const settledUntil = nowUnixMicro - SETTLED_MICRO;
    const gap = (await this.#sketches.ranges()).gapFrom(this.#cursor);
    const first = await this.#firstTime(gap.fromUnixMicro);
    if (first === undefined || first >= settledUntil) return false;
    this.#cursor = first;
    if (first >= gap.toUnixMicro) return true;
    // A range begins where the one before ends: a search need not read the time without records between them.
    const from = gap.fromUnixMicro === 0 ? first : gap.fromUnixMicro;
    this.#widthMicro = Math.max(this.#widthMicro, 2 * (first - from));
    return await this.#coverFrom(from, Math.min(gap.toUnixMicro, settledUntil), settledUntil);
  }

  async #coverFrom(from: number, limit: number, settledUntil: number): Promise<boolean> {
    const { toUnixMicro, rows } = await this.#endOf(from, limit);
    const isLast = toUnixMicro === settledUntil;
    // The newest records wait for others; a gap between two sketches gets none.
    if (isLast && rows < this.#wantedRows) return false;
    const range = { fromUnixMicro: from, toUnixMicro };
    const isWorthIt = rows >= this.#wantedRows / 4 && !(await this.#isBusy(range, settledUntil));
    if (isWorthIt) await this.#build(range);
    this.#cursor = toUnixMicro;
    return true;
  }

  async #beginAgain(nowUnixMicro: number): Promise<void> {
    this.#beganUnixMicro = nowUnixMicro;
    this.#cursor = 0;
    const first = await this.#firstTime(0);
    if (first !== undefined) await this.#sketches.deleteBefore(first);
  }

  async #firstTime(from: number): Promise<number | undefined> {
    const [row] = await this.#run(
      `select epoch_us(time) as first from ${LOG_TABLE} where time >= make_timestamptz($1) order by time limit 1`,
      [from],
    );
    return row === undefined ? undefined : numberOf(row, 'first');
  }

  /**
   * The end of a range that begins at a time and has the wanted number of rows, if it does not reach the limit before. A
   * range with fewer rows may also end where a burst of many begins: the burst gets ranges of its own.
   */
  async #endOf(
    from: number,
    limit: number,
  ): Promise<{ readonly toUnixMicro: number; readonly rows: number }> {
    for (;;) {
      const width = Math.min(this.#widthMicro, limit - from);
      const part = Math.max(1, Math.ceil(width / PARTS));
      let rows = 0;
      let rowsBefore = 0;
      let toUnixMicro = from;
      for (const { end, count } of await this.#counts(from, Math.min(limit, from + part * PARTS), part)) {
        rowsBefore = rows;
        rows += count;
        toUnixMicro = end;
        if (rows >= this.#wantedRows) break;
      }
      const burstUnixMicro = toUnixMicro - part;
      toUnixMicro = Math.min(limit, toUnixMicro);
      if (rows < this.#wantedRows && from + width < limit) this.#widthMicro *= 4;
      else if (rows > 2 * this.#wantedRows && part > 1) {
        this.#widthMicro = part * 2;
        // A shorter width might end before the burst, and would be extended again, without an end.
        if (burstUnixMicro > from) return { toUnixMicro: burstUnixMicro, rows: rowsBefore };
      } else if (rows < this.#wantedRows) return { toUnixMicro: limit, rows };
      else {
        this.#widthMicro = Math.max(PARTS, (toUnixMicro - from) * 2);
        return { toUnixMicro, rows };
      }
    }
  }

  async #counts(
    from: number,
    to: number,
    part: number,
  ): Promise<readonly { readonly end: number; readonly count: number }[]> {
    const rows = await this.#run(
      `select (epoch_us(time) - $1) // $3 as part, count(*) as n from ${LOG_TABLE}
        where time >= make_timestamptz($1) and time < make_timestamptz($2) group by 1 order by 1`,
      [from, to, part],
    );
    return rows.map((row) => ({
      end: from + (numberOf(row, 'part') + 1) * part,
      count: numberOf(row, 'n'),
    }));
  }

  /** Whether a record of this range was stored a short time ago. */
  async #isBusy({ fromUnixMicro, toUnixMicro }: TimeRange, settledUntil: number): Promise<boolean> {
    const [row] = await this.#run(
      `select max(epoch_us(minute)) as last from touched_minutes where stored_at > make_timestamptz($1)
        and minute > make_timestamptz($2) and minute < make_timestamptz($3)`,
      [settledUntil, fromUnixMicro - MICRO_PER_MINUTE, toUnixMicro],
    );
    return row !== undefined && numberOrNull(row, 'last') !== null;
  }

  async #build(range: TimeRange): Promise<void> {
    const sketch = this.#sketch;
    sketch.clear();
    const prepared = await this.#connection.prepare(LOWER_BODIES);
    try {
      prepared.bindBigInt(1, BigInt(range.fromUnixMicro));
      prepared.bindBigInt(2, BigInt(range.toUnixMicro));
      const result = await prepared.stream();
      for (
        let chunk = await result.fetchChunk();
        chunk !== null && chunk.rowCount > 0;
        chunk = await result.fetchChunk()
      )
        visitTexts(chunk.chunk, 0, (bytes, start, end) => sketch.add(bytes, start, end));
    } finally {
      prepared.destroySync();
    }
    await this.#sketches.add(range, sketch);
    this.#adaptTo(sketch.density);
  }

  #adaptTo(density: number): void {
    if (density > 0.5) this.#wantedRows = Math.max(Math.ceil(this.#rowsOfRange / 16), this.#wantedRows / 2);
    if (density < 0.2) this.#wantedRows = Math.min(this.#rowsOfRange, this.#wantedRows * 2);
  }

  async #run(text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    return await runStatement(this.#connection, { text, values });
  }
}

/** A day of 10 million records has 163 ranges. */
const ROWS_OF_RANGE = 61_440;
const SETTLED_MICRO = 10 * MICRO_PER_MINUTE;
/** The records of a time span are counted in this number of parts. */
const PARTS = 64;

// The same conversion as in the condition of a search (`duckdb-dialect.ts`).
const LOWER_BODIES = `select lower(body) as body from ${LOG_TABLE}
  where time >= make_timestamptz($1) and time < make_timestamptz($2)`;
