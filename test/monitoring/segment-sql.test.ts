import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import { parseExpression } from '../../src/expressions/parse-expression.ts';
import { forEachLogRecord } from '../../src/formats/record-view.ts';
import { dialectOf } from '../../src/logstore/sql/dialect-of.ts';
import { sql, statement } from '../../src/logstore/sql/sql.ts';
import { numberOf, textOrNull } from '../../src/logstore/sql/sql-row.ts';
import { metricDefinition } from '../../src/monitoring/metric-definition.ts';
import { type MetricSegment, metricSegment } from '../../src/monitoring/metric-segment.ts';
import { observationsSql } from '../../src/monitoring/metric-sql.ts';
import { segmentSql } from '../../src/monitoring/segment-sql.ts';
import { jsonBatch } from '../support/json-batch.ts';
import { describeEachStore, type TestStore } from '../support/stores.ts';

const RUNS = Number(process.env['SEGMENT_RUNS'] ?? 30);

test('a segment reaches a statement as values only', () => {
  const hostile = "x'); drop table metrics; --";
  const segments: readonly MetricSegment[] = [
    hostile,
    { expression: `['${hostile.replaceAll("'", "\\'")}'] == ${JSON.stringify(hostile)}` },
    [{ name: hostile, where: `a == ${JSON.stringify(hostile)}` }],
  ].filter((each) => metricSegment.safeParse(each).success);
  expect(segments.length).toBeGreaterThan(1);
  for (const name of ['duckdb', 'postgres'] as const) {
    for (const segment of segments) {
      const { text, values } = statement(segmentSql(dialectOf(name), segment));
      expect(text).not.toContain('drop');
      expect(JSON.stringify(values)).toContain('drop');
    }
  }
});

const scalars = fc.oneof(
  fc.constantFrom('a', 'b', '', '500', '7.5', 'true', null, true, false),
  fc.integer({ min: 0, max: 9 }),
);
const objects = fc.record(
  {
    x: fc.oneof(scalars, fc.array(scalars, { maxLength: 2 })),
    'url.path': fc.constantFrom('/api/x', '/img', ''),
    order: fc.record({ items: fc.array(fc.record({ n: scalars }), { maxLength: 2 }) }),
  },
  { requiredKeys: [] },
);
const expressions = fc.constantFrom(
  'x == "a"',
  'x > 3',
  'x != 5',
  'not exists x',
  'order.items[0].n >= 5',
  'order.items[1].n in ("a", true)',
  'url.path starts_with "/api" and not x ~ "^[0-9]"',
  'section(url.path) == "img" or x contains "b"',
  'true',
  'false',
);
const segments: fc.Arbitrary<MetricSegment> = fc.oneof(
  fc.record({ expression: expressions }),
  fc
    .uniqueArray(expressions, { minLength: 1, maxLength: 4 })
    .map((all) => all.map((where, at) => ({ name: `s${at}`, where }))),
);

/** The number of records in each segment, by the functions that filter records. */
function countedHere(records: readonly object[], segment: MetricSegment): Record<string, number> {
  if (typeof segment === 'string') throw new Error('not an expression');
  const named =
    'expression' in segment
      ? [
          { name: 'true', where: segment.expression },
          { name: 'false', where: 'true' },
        ]
      : segment;
  const tests = named.map(({ name, where }) => ({
    name,
    matches: compileExpression(parseExpression(where)),
  }));
  const counts: Record<string, number> = {};
  forEachLogRecord(jsonBatch(records), (record) => {
    const name = tests.find(({ matches }) => matches(record))?.name ?? 'null';
    counts[name] = (counts[name] ?? 0) + 1;
  });
  return counts;
}

async function countedInStore({ database }: TestStore, definition: object): Promise<Record<string, number>> {
  const metric = metricDefinition.parse({
    id: 'm',
    periodSeconds: 86_400,
    startOffsetSeconds: 200_000,
    ...definition,
  });
  const span = { from: 0, to: 86_400_000_000 };
  const query = observationsSql(dialectOf(database.dialect), metric, span);
  const [rows = []] = await database.run([statement(sql`select * from (${query}) as found`)], {
    timeoutMs: 60_000,
    isReadOnly: true,
  });
  return Object.fromEntries(
    rows.map((row) => [textOrNull(row, 'segment') ?? 'null', numberOf(row, 'value')]),
  );
}

describeEachStore('segments by expressions', (openStore) => {
  test('have the records that the expressions select', { timeout: 300_000 }, async () => {
    const store = await openStore();
    const records = fc.sample(objects, { numRuns: 120, seed: 11 });
    await store.write([jsonBatch(records.map((each) => ({ time: '2026-11-20T10:00:00Z', ...each })))]);
    await fc.assert(
      fc.asyncProperty(segments, async (segment) => {
        expect({ segment, counts: await countedInStore(store, { segment }) }).toEqual({
          segment,
          counts: countedHere(records, segment),
        });
      }),
      { numRuns: RUNS },
    );
  });

  test('have a name that a client chooses, also one with quotes', async () => {
    const store = await openStore();
    await store.write([jsonBatch([{ time: '2026-11-20T10:00:00Z', x: 1 }])]);
    const name = `it's "$1" -- ; 😀`;
    expect(await countedInStore(store, { segment: [{ name, where: 'x == 1' }] })).toEqual({ [name]: 1 });
  });

  test('and statistics accept each path of an expression', async () => {
    const store = await openStore();
    const time = '2026-11-20T10:00:00Z';
    await store.write([
      jsonBatch([
        { time, order: { items: [{ price: 2, tag: 'a' }] } },
        { time, order: { items: [{ price: '4.5', tag: 'a' }, { price: 7 }] } },
        { time, order: { items: [] }, 'a-b c': 'z' },
      ]),
    ]);
    const max = { statistic: 'max', property: 'order.items[0].price', segment: 'order.items[0].tag' };
    expect(await countedInStore(store, max)).toEqual({ a: 4.5 });
    expect(await countedInStore(store, { property: "['order']['items']['1']['price']" })).toEqual({
      null: 1,
    });
    expect(await countedInStore(store, { property: 'x', segment: '[a-b c]' })).toEqual({});
    expect(await countedInStore(store, { segment: '[a-b c]' })).toEqual({ null: 2, z: 1 });
  });
});
