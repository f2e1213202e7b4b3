import { DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { CHUNK_ROWS, RowChunk } from '../../../src/emitters/duckdb/row-chunk.ts';

const LAYOUT = [
  { cellBytes: 16, isText: true },
  { cellBytes: 16, isText: true },
  { cellBytes: 8, isText: false },
  { cellBytes: 2, isText: false },
] as const;

interface Row {
  readonly a: string | null;
  readonly b: string | null;
  readonly c: number | null;
  readonly d: number | null;
  /** `b` is written as a part of held bytes. */
  readonly isHeld?: boolean;
}

async function table() {
  const database = await duckdb.open(':memory:');
  const native = await duckdb.connect(database);
  const connection = new DuckDBConnection(native);
  await connection.run('create table t (a text, b text, c bigint, d smallint)');
  const types = () => {
    const appender = duckdb.appender_create(native, null, 't');
    return LAYOUT.map((_, index) => duckdb.appender_column_type(appender, index));
  };
  const chunk = new RowChunk(types(), LAYOUT);
  onTestFinished(() => {
    connection.disconnectSync();
    duckdb.close_sync(database);
  });
  const add = (row: Row) => {
    chunk.nextRow();
    [row.a, row.b].forEach((text, column) => {
      if (text === null) chunk.setNull(column);
      else if (column === 1 && row.isHeld) addHeld(text);
      else chunk.setText(column, text);
    });
    if (row.c === null) chunk.setNull(2);
    else chunk.setInt64(2, row.c);
    if (row.d === null) chunk.setNull(3);
    else chunk.setInt16(3, row.d);
  };
  const addHeld = (text: string) => {
    const length = Buffer.byteLength(text);
    chunk.setHeld(1, chunk.hold(Buffer.from(`before ${text} after`)) + 'before '.length, length);
  };
  /** In chunks of this many rows at most. */
  const write = (rows: readonly Row[], perChunk: number) => {
    const appender = duckdb.appender_create(native, null, 't');
    for (const row of rows) {
      add(row);
      if (chunk.isFull || chunk.rows >= perChunk) appendTo(appender);
    }
    if (chunk.rows > 0) appendTo(appender);
    duckdb.appender_close_sync(appender);
  };
  const appendTo = (appender: ReturnType<typeof duckdb.appender_create>) => {
    chunk.finish();
    duckdb.append_data_chunk(appender, chunk.chunk);
    chunk.clear();
  };
  const read = async (): Promise<Row[]> => {
    const rows = (await (await connection.run('select * from t order by rowid')).getRowObjects()) as Record<
      string,
      unknown
    >[];
    return rows.map(({ a, b, c, d }) => ({ a, b, c: c === null ? null : Number(c), d }) as Row);
  };
  return { connection, write, read };
}

/** Around the length that fits in a cell, with characters of one to four bytes, and often the same again. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ minLength: 10, maxLength: 14 }),
  fc.constantFrom('', 'again', 'a text that comes again', 'exactly12 by', 'exactly 13 b.'),
);
const row = fc.record<Row>({
  a: fc.option(text),
  b: fc.option(text),
  c: fc.option(fc.maxSafeInteger()),
  d: fc.option(fc.integer({ min: -32_768, max: 32_767 })),
});

test('a text cell of DuckDB has the layout that the pointers are computed from', async () => {
  const database = await duckdb.open(':memory:');
  const native = await duckdb.connect(database);
  await new DuckDBConnection(native).run('create table t (a text)');
  const chunk = duckdb.create_data_chunk([
    duckdb.appender_column_type(duckdb.appender_create(native, null, 't'), 0),
  ]);
  const vector = duckdb.data_chunk_get_vector(chunk, 0);
  duckdb.vector_assign_string_element_len(vector, 0, Buffer.from('exactly12 by'));
  duckdb.vector_assign_string_element_len(vector, 1, Buffer.from('a'));
  duckdb.vector_assign_string_element_len(vector, 2, Buffer.from('exactly 13 b.'));
  const cells = Buffer.from(duckdb.vector_get_data(vector, 3 * 16));
  // The length, then the text itself with zeros after it.
  expect(cells.readUInt32LE(0)).toBe(12);
  expect(cells.toString('latin1', 4, 16)).toBe('exactly12 by');
  expect(cells.readUInt32LE(16)).toBe(1);
  expect(cells.toString('latin1', 20, 32)).toBe(`a${'\0'.repeat(11)}`);
  // The length, the first four bytes, then an address: not zero, and less than 2^48.
  expect(cells.readUInt32LE(32)).toBe(13);
  expect(cells.toString('latin1', 36, 40)).toBe('exac');
  expect(cells.readBigUInt64LE(40)).toBeGreaterThan(0n);
  expect(cells.readBigUInt64LE(40)).toBeLessThan(2n ** 48n);
});

test('returns the same bytes for any chunks', async () => {
  const { connection, write, read } = await table();
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 60 }),
      fc.integer({ min: 1, max: 30 }),
      async (rows, perChunk) => {
        write(rows, perChunk);
        expect(await read()).toEqual(rows);
        await connection.run('delete from t');
      },
    ),
    { numRuns: 200 },
  );
});

test('returns parts of held bytes, beside other texts', async () => {
  const { connection, write, read } = await table();
  const rows = fc.array(fc.record({ row, isHeld: fc.boolean() }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 30 }), async (some, perChunk) => {
      write(
        some.map(({ row: each, isHeld }) => ({ ...each, isHeld })),
        perChunk,
      );
      expect(await read()).toEqual(some.map(({ row: each }) => each));
      await connection.run('delete from t');
    }),
    { numRuns: 100 },
  );
});

test('finds, groups and compares texts by their value', async () => {
  const { connection, write } = await table();
  const texts = ['short', 'a longer text than that', 'exactly12 by'];
  write(
    Array.from({ length: 300 }, (_, index) => ({
      a: texts[index % 3] ?? '',
      b: `only ${index}`,
      c: index,
      d: 1,
    })),
    100,
  );
  const result = await connection.runAndReadAll('select a, count(*)::integer from t group by a order by a');
  expect(result.getRows()).toEqual([
    ['a longer text than that', 100],
    ['exactly12 by', 100],
    ['short', 100],
  ]);
});

test('a chunk has a limit of rows and of characters', async () => {
  const { write, read } = await table();
  const long = 'long '.repeat(500_000);
  const rows = Array.from({ length: CHUNK_ROWS * 2 + 5 }, (_, index) => ({
    a: index % 1000 === 0 ? `${index} ${long}` : 'short',
    b: null,
    c: index,
    d: null,
  }));
  write(rows, Number.POSITIVE_INFINITY);
  expect(await read()).toEqual(rows);
});
