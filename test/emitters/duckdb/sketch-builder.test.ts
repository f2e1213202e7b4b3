import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { expect, onTestFinished, test } from 'vitest';
import { prepareSchema } from '../../../src/emitters/duckdb/prepare-schema.ts';
import { runStatement } from '../../../src/emitters/duckdb/run-statement.ts';
import { SketchBuilder } from '../../../src/emitters/duckdb/sketch-builder.ts';
import { TextSketches } from '../../../src/emitters/duckdb/text-sketches.ts';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { histogramRequest, searchRequest, valuesRequest } from '../../../src/logstore/logs/log-requests.ts';
import type { SqlValue } from '../../../src/logstore/sql/sql.ts';
import type { SqlDatabase, SqlRow } from '../../../src/logstore/sql/sql-database.ts';
import { systemClock } from '../../../src/runtime/clock.ts';

const START = Date.parse('2026-03-01T00:00:00Z') * 1000;
const MINUTE = 60_000_000;
/** All records are older than the ten minutes in which a range must be quiet. */
const NOW = START + 48 * 60 * MINUTE;
const ROWS_OF_RANGE = 100;

interface Row {
  readonly time: number;
  readonly body: string;
}

async function storeWith(rows: readonly Row[]): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  onTestFinished(() => {
    connection.disconnectSync();
    instance.closeSync();
  });
  await connection.run("set global TimeZone = 'UTC'");
  await prepareSchema(connection);
  await insert(connection, rows);
  return connection;
}

async function insert(connection: DuckDBConnection, rows: readonly Row[]): Promise<void> {
  await run(
    connection,
    `insert into log_records (time, observed_time, format, body, stream, position)
      select make_timestamptz(each.time), make_timestamptz(each.time), 'plain', each.body, uuid(), each.time
      from (select unnest(from_json($1, '[{"time":"BIGINT","body":"VARCHAR"}]')) as each)`,
    [JSON.stringify(rows)],
  );
}

async function run(
  connection: DuckDBConnection,
  text: string,
  values: readonly SqlValue[] = [],
): Promise<readonly SqlRow[]> {
  return await runStatement(connection, { text, values });
}

/** Runs all steps of now, and returns the ranges. */
async function sketched(
  connection: DuckDBConnection,
  { now = NOW, sketches = new TextSketches(connection) } = {},
): Promise<TextSketches> {
  const builder = new SketchBuilder(connection, sketches, ROWS_OF_RANGE);
  while (await builder.step(now));
  return sketches;
}

async function ranges(connection: DuckDBConnection): Promise<readonly (readonly [number, number])[]> {
  const rows = await run(
    connection,
    'select epoch_us(range_start) as a, epoch_us(range_end) as b from text_sketches where page = 0 order by 1',
  );
  return rows.map(({ a, b }) => [Number(a) - START, Number(b) - START]);
}

/** Whether the search uses the sketches. */
function searchOn(connection: DuckDBConnection, withSketches = true) {
  const database: SqlDatabase = {
    dialect: 'duckdb',
    run: async (statements) => {
      const results: (readonly SqlRow[])[] = [];
      for (const { text, values } of statements) {
        const isLookup = text.includes('text_sketches');
        results.push(isLookup && !withSketches ? [] : await run(connection, text, values));
      }
      return results;
    },
  };
  return createLogSearch(database, { clock: systemClock });
}

/** Numbers from 0 to 1, the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const WORDS = [
  'GET',
  '/Orders',
  'größe',
  'GRÖẞE',
  'request=',
  'timeout',
  'İstanbul',
  '\u0000',
  '日本語',
  'K',
  '😀',
  'a',
  ' ',
];

function randomText(next: () => number, words: number): string {
  return Array.from({ length: Math.ceil(next() * words) }, () =>
    next() < 0.5 ? WORDS[Math.floor(next() * WORDS.length)] : Math.floor(next() * 100_000),
  ).join('');
}

test('a search returns the same with and without sketches', async () => {
  const next = random(7);
  const rows = Array.from({ length: 1500 }, () => ({
    time: START + Math.floor(next() * 24 * 60 * MINUTE),
    body: randomText(next, 12),
  }));
  const connection = await storeWith(rows);
  await sketched(connection);
  expect((await ranges(connection)).length).toBeGreaterThan(8);

  const window = { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' };
  const [using, plain] = [searchOn(connection), searchOn(connection, false)];
  let found = 0;
  for (let round = 0; round < 16; round++) {
    const { body } = rows[Math.floor(next() * rows.length)] as Row;
    const start = Math.floor(next() * body.length);
    const part = body.slice(start, start + 4 + Math.floor(next() * 20));
    const text = [part, part.toUpperCase(), part.toLowerCase(), randomText(next, 3)][round % 4] || 'timeout';
    const request = searchRequest.parse({ ...window, text, limit: 1 + Math.floor(next() * 20) });
    const pages = await Promise.all([allPages(using, request), allPages(plain, request)]);
    expect(pages[0], text).toEqual(pages[1]);
    found += pages[0].length;
    const [a, b] = [using, plain].map((search) =>
      search.histogram(histogramRequest.parse({ ...window, text })),
    );
    expect(await a, text).toEqual(await b);
    const [c, d] = [using, plain].map((search) =>
      search.values(valuesRequest.parse({ ...window, text, property: 'format' })),
    );
    expect(await c, text).toEqual(await d);
  }
  expect(found).toBeGreaterThan(20);
}, 120_000);

type Search = ReturnType<typeof searchOn>;

async function allPages(
  search: Search,
  request: Parameters<Search['search']>[0],
): Promise<readonly (readonly [string, number])[]> {
  const places: (readonly [string, number])[] = [];
  for (let cursor: string | undefined, pages = 0; pages < 4; pages++) {
    const page = await search.search({ ...request, cursor });
    places.push(...page.entries.map(({ time, position }) => [time, position] as const));
    if (page.next === null) break;
    cursor = page.next;
  }
  return places;
}

test('a search reads only the ranges that may have the text', async () => {
  const rows = Array.from({ length: 1000 }, (_, index) => ({
    time: START + index * MINUTE,
    body: `request=${10_000_000 + index * 7919}`,
  }));
  const connection = await storeWith(rows);
  await sketched(connection);
  expect(await ranges(connection)).toHaveLength(9);
  // The search must not see a record in a range that is excluded.
  const hidden = rows[250] as Row;
  await run(connection, 'update log_records set body = $1 where position = $2', [
    'request=99999999',
    hidden.time,
  ]);
  const find = async (text: string) => {
    const page = await searchOn(connection).search(searchRequest.parse({ text, limit: 10 }));
    return page.entries.map(({ body }) => body);
  };
  expect(await find('request=99999999')).toEqual([]);
  expect(await find(rows[777]?.body ?? '')).toEqual([rows[777]?.body]);
});

test('ranges have about the wanted number of records, and follow each other without a gap', async () => {
  const rows = Array.from({ length: 1250 }, (_, index) => ({
    // A burst of 500 records in one second.
    time: START + (index < 500 ? index * 2000 : index * MINUTE),
    body: `number ${index}`,
  }));
  const connection = await storeWith(rows);
  await sketched(connection);
  const built = await ranges(connection);
  for (const [index, [from, to]] of built.entries()) {
    const count = rows.filter(({ time }) => time - START >= from && time - START < to).length;
    expect(count).toBeGreaterThanOrEqual(ROWS_OF_RANGE / 4);
    expect(count).toBeLessThanOrEqual(ROWS_OF_RANGE * 2);
    // No time between two ranges is left to be read.
    expect(from).toBe(built[index - 1]?.[1] ?? 0);
  }
  expect(built.length).toBeGreaterThan(8);
});

test('records that arrived a short time ago wait, and get a sketch later', async () => {
  const connection = await storeWith(
    Array.from({ length: 300 }, (_, index) => ({ time: START + index * MINUTE, body: `number ${index}` })),
  );
  await run(
    connection,
    `insert into touched_minutes values (uuid(), 1, make_timestamptz($1), make_timestamptz($2))`,
    [NOW - MINUTE, START + 50 * MINUTE],
  );
  await sketched(connection);
  expect((await ranges(connection)).every(([from]) => from > 50 * MINUTE)).toBe(true);
  await sketched(connection, { now: NOW + 20 * MINUTE });
  expect((await ranges(connection))[0]?.[0]).toBe(0);
});

test('a sketch whose time is before all records is deleted', async () => {
  const connection = await storeWith(
    Array.from({ length: 400 }, (_, index) => ({ time: START + index * MINUTE, body: `number ${index}` })),
  );
  await sketched(connection);
  const before = await ranges(connection);
  await run(connection, 'delete from log_records where time < make_timestamptz($1)', [START + 250 * MINUTE]);
  await sketched(connection);
  expect(await ranges(connection)).toEqual(before.filter(([, to]) => to > 250 * MINUTE));
});

test('a burst of many records after few ones gets ranges', async () => {
  const few = Array.from({ length: 10 }, (_, index) => ({
    time: START + index * 60 * MINUTE,
    body: `few ${index}`,
  }));
  const burst = Array.from({ length: 700 }, (_, index) => ({
    time: START + 10 * 60 * MINUTE + index * 1000,
    body: `burst ${index}`,
  }));
  const connection = await storeWith([...few, ...burst]);
  const sketches = new TextSketches(connection);
  const builder = new SketchBuilder(connection, sketches, ROWS_OF_RANGE);
  let steps = 0;
  while (await builder.step(NOW)) expect(++steps).toBeLessThan(50);
  expect((await ranges(connection)).length).toBeGreaterThan(1);
});
