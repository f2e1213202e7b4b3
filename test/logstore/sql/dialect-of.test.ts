import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dialectOf } from '../../../src/logstore/sql/dialect-of.ts';
import { type Sql, type SqlValue, sql, statement } from '../../../src/logstore/sql/sql.ts';

import { nastyText } from '../../support/nasty-text.ts';
import { describeEachStore, runsIn, type TestStore } from '../../support/stores.ts';

/** The value of an expression, as the store says it. */
async function evaluate({ database }: TestStore, expression: Sql): Promise<SqlValue | undefined> {
  const query = sql`select ${expression} as value`;
  const [rows] = await database.run([statement(query)], { timeoutMs: 10_000, isReadOnly: true });
  return rows?.[0]?.value;
}

const numberOf = async (store: TestStore, expression: Sql) => {
  const value = await evaluate(store, expression);
  return value === null ? null : Number(value);
};

/** To the end of 2199. */
const anyMicro = fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) * 1000 - 1 });

describeEachStore('a dialect', (openStore) => {
  test('converts microseconds to times and back without loss', async () => {
    const store = await openStore();
    const dialect = dialectOf(store.database.dialect);
    await fc.assert(
      fc.asyncProperty(anyMicro, async (micro) => {
        expect(await numberOf(store, dialect.unixMicro(dialect.timestamp(micro)))).toBe(micro);
        expect(await numberOf(store, dialect.unixMicro(dialect.timestamp(sql`${micro}::bigint`)))).toBe(
          micro,
        );
        const text = new Date(Math.floor(micro / 1000)).toISOString().slice(0, -1);
        expect(await evaluate(store, dialect.timeText(dialect.timestamp(micro)))).toBe(
          `${text}${String(micro % 1000).padStart(3, '0')}Z`,
        );
      }),
      { numRuns: runsIn(store, 50) },
    );
  });

  test('aligns buckets of any length to 1970', async () => {
    const store = await openStore();
    const dialect = dialectOf(store.database.dialect);
    await fc.assert(
      fc.asyncProperty(anyMicro, fc.integer({ min: 1, max: 366 * 86_400_000 }), async (micro, periodMs) => {
        const bucket = dialect.bucket(dialect.timestamp(micro), periodMs);
        expect(await numberOf(store, dialect.unixMicro(bucket))).toBe(micro - (micro % (periodMs * 1000)));
      }),
      { numRuns: runsIn(store, 50) },
    );
  });

  const json = {
    text: 'x',
    empty: '',
    none: null,
    yes: true,
    no: false,
    whole: -3,
    fraction: 1.5,
    small: 0.000_25,
    large: 9_007_199_254_740_991,
    larger: 1e30,
    'text of a number': '0.005',
    'text of a whole': '-12',
    'text with exponent': '1e3',
    'text with blank': ' 1',
    'text with underscore': '1_000',
    'text of many digits': '9'.repeat(400),
    infinite: 'Infinity',
    nan: 'NaN',
    hexadecimal: '0x10',
    object: { a: 1 },
    list: [1],
    'a.b': 'dotted',
    'a/b~1': 'slashed',
    $: 'dollar',
    '*': 'star',
    '': 'no name',
    "it's": 'quoted',
    'say "it"': 'double',
    '\\': 'backslash',
    '0': 'digit',
  };

  const attributes: readonly (readonly [key: string, text: string | null, number: number | null])[] = [
    ['text', 'x', null],
    ['empty', '', null],
    ['none', null, null],
    ['yes', 'true', null],
    ['no', 'false', null],
    ['whole', '-3', -3],
    ['fraction', '1.5', 1.5],
    ['small', '0.00025', 0.000_25],
    ['large', '9007199254740991', 9_007_199_254_740_991],
    ['text of a number', '0.005', 0.005],
    ['text of a whole', '-12', -12],
    ['text with exponent', '1e3', null],
    ['text with blank', ' 1', null],
    ['text with underscore', '1_000', null],
    ['text of many digits', '9'.repeat(400), null],
    ['infinite', 'Infinity', null],
    ['nan', 'NaN', null],
    ['hexadecimal', '0x10', null],
    ['object', null, null],
    ['list', null, null],
    ['a.b', 'dotted', null],
    ['a', null, null],
    ['a/b~1', 'slashed', null],
    ['$', 'dollar', null],
    ['*', 'star', null],
    ['', 'no name', null],
    ["it's", 'quoted', null],
    ['say "it"', 'double', null],
    ['\\', 'backslash', null],
    ['0', 'digit', null],
    ['missing', null, null],
    ["'; drop table log_records; --", null, null],
  ];

  test('finds an attribute as text and as number, for any name and value', async () => {
    const store = await openStore();
    const dialect = dialectOf(store.database.dialect);
    const column =
      dialect.name === 'duckdb' ? sql`${JSON.stringify(json)}::json` : sql`${JSON.stringify(json)}::jsonb`;
    for (const [key, text, number] of attributes) {
      const found = [
        key,
        await evaluate(store, dialect.attributeText(column, key)),
        await numberOf(store, dialect.attributeNumber(column, key)),
      ];
      expect(found).toEqual([key, text, number]);
    }
  });

  test('compares numbers in JSON of any size', async () => {
    const store = await openStore();
    const dialect = dialectOf(store.database.dialect);
    const column = (text: string) => (dialect.name === 'duckdb' ? sql`${text}::json` : sql`${text}::jsonb`);
    await fc.assert(
      fc.asyncProperty(fc.double({ noDefaultInfinity: true, noNaN: true }), async (number) => {
        const found = await numberOf(
          store,
          dialect.attributeNumber(column(JSON.stringify({ number })), 'number'),
        );
        expect(found === null ? null : found + 0).toBe(number + 0);
      }),
    );
  });

  test('finds a text in another, ignoring case, without special characters', async () => {
    const store = await openStore();
    const dialect = dialectOf(store.database.dialect);
    const clean = (text: string) => text.replaceAll('\0', '').replaceAll(/\p{Surrogate}/gu, '');
    // Where lower case is not one to one, every database has its own opinion.
    const ascii = nastyText(40)
      .map(clean)
      .filter((text) => text.toLowerCase() === text.replaceAll(/[A-Z]/g, (c) => c.toLowerCase()));
    await fc.assert(
      fc.asyncProperty(ascii, ascii, ascii, async (before, part, after) => {
        const upper = part.replaceAll(/[a-z]/g, (c) => c.toUpperCase());
        expect(await evaluate(store, dialect.containsText(sql`${before + part + after}::text`, upper))).toBe(
          true,
        );
        const isIn = before.toLowerCase().includes(part.toLowerCase());
        expect(await evaluate(store, dialect.containsText(sql`${before}::text`, part))).toBe(isIn);
      }),
      { numRuns: runsIn(store, 60) },
    );
  });

  test('finds a text with digits and signs in another, ignoring case', async () => {
    const store = await openStore();
    const dialect = dialectOf(store.database.dialect);
    const text = 'GET /a?Request=5001234-AB12 "x" 100%_\\';
    const found = [
      'request=5001234',
      'REQUEST=5001234-ab12',
      '?request=',
      '=5001234-',
      '" 100%_\\',
      '"X" 1',
      '01',
    ];
    const missing = [
      'request=5001235',
      'requests=5001234',
      '=5001234_',
      '" 100%-',
      '"X" 2',
      'equest =5001234',
    ];
    for (const part of [...found, ...missing]) {
      const isFound = await evaluate(store, dialect.containsText(sql`${text}::text`, part));
      expect([part, isFound]).toEqual([part, found.includes(part)]);
    }
  });

  test('reads the section of a path', async () => {
    const store = await openStore();
    const dialect = dialectOf(store.database.dialect);
    const sections: readonly (readonly [path: string | null, section: string | null])[] = [
      ['/api/users', 'api'],
      ['/api', 'api'],
      ['/', ''],
      ['//x', ''],
      ['', ''],
      ['api/users', 'users'],
      [null, null],
    ];
    for (const [path, section] of sections) {
      expect([path, await evaluate(store, dialect.section(sql`${path}::text`))]).toEqual([path, section]);
    }
  });

  describe('percentiles and deviations', () => {
    const over = async (store: TestStore, expression: Sql, values: readonly (number | null)[]) => {
      const rows = values.map((value) => `(${value === null ? 'null' : `${value}`}::float8)`).join(', ');
      const text = `select ${statement(expression).text} as value from (values ${rows}) as numbers (number)`;
      const [found] = await store.database.run([{ text, values: expression.values }], { timeoutMs: 10_000 });
      return found?.[0]?.value;
    };

    test('are interpolated between the values', async () => {
      const store = await openStore();
      const dialect = dialectOf(store.database.dialect);
      const percentiles = [
        [[1, 2, null, 4], 0.5, 2],
        [[1, 2, 3, 4], 0.5, 2.5],
        [[7], 0.99, 7],
        [[null], 0.5, null],
        [[0, 100], 0.95, 95],
      ] as const;
      for (const [values, fraction, expected] of percentiles) {
        expect([values, await over(store, dialect.percentile(sql`number`, fraction), values)]).toEqual([
          values,
          expected,
        ]);
      }
    });

    test('are computed for a sample', async () => {
      const store = await openStore();
      expect(await over(store, sql`stddev_samp(number)`, [1, 2, 3])).toBe(1);
      expect(await over(store, sql`var_samp(number)`, [1, 3])).toBe(2);
      expect(await over(store, sql`var_samp(number)`, [1])).toBe(null);
    });
  });
});
