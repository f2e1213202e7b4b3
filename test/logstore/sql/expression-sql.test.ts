import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileExpression } from '../../../src/expressions/compile-expression.ts';
import type { Expression } from '../../../src/expressions/expression.ts';
import { ExpressionError } from '../../../src/expressions/expression-error.ts';
import { parseExpression } from '../../../src/expressions/parse-expression.ts';
import { forEachLogRecord } from '../../../src/formats/record-view.ts';
import { dialectOf } from '../../../src/logstore/sql/dialect-of.ts';
import { expressionSql } from '../../../src/logstore/sql/expression-sql.ts';
import { sql, statement } from '../../../src/logstore/sql/sql.ts';
import type { SqlDatabase } from '../../../src/logstore/sql/sql-database.ts';
import { numberOf } from '../../../src/logstore/sql/sql-row.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { describeEachStore, runsIn } from '../../support/stores.ts';

const RUNS = Number(process.env['EXPRESSION_RUNS'] ?? 60);

const scalars = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'ab',
    'A',
    '',
    '500',
    '500.0',
    '-1',
    'true',
    'é',
    '😀x',
    'a\u0000b',
    '\ud800',
    'a\nb',
    '/api/x',
    '10.1.2.3',
    'error',
    '1e3',
  ),
  fc.constantFrom(0, 1, -1, 500, 404, 0.5, 1e21, 1e-7, 9_007_199_254_740_991, 32_768),
  fc.boolean(),
  fc.constant(null),
);
const values = fc.oneof(
  { weight: 4, arbitrary: scalars },
  { weight: 1, arbitrary: fc.array(scalars, { maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc.record({ id: scalars, list: fc.array(scalars, { maxLength: 2 }) }, { requiredKeys: [] }),
  },
);
const NAMES = [
  'x',
  'order',
  'order.id',
  'tags',
  'host.name',
  'service.name',
  'host',
  'service',
  'source',
  'stream',
  'status_code',
  'http.response.status_code',
  'url.path',
  'client.address',
  'user.name',
  'level',
  'severity',
  'network.protocol.version',
  'a b',
];
const objects = fc.record(
  {
    message: scalars.map((value) => (typeof value === 'string' ? value : 'm')),
    time: fc.constantFrom(
      '2026-11-20T10:00:00Z',
      '2026-11-20T10:00:00.000001Z',
      '1960-01-01T00:00:00Z',
      '2026-12-01T00:00:00Z',
    ),
    ...Object.fromEntries(NAMES.map((name) => [name, values])),
  },
  { requiredKeys: [] },
);
const properties = fc.constantFrom(
  'x',
  'order.id',
  'order.list',
  'order.list[0]',
  'order.list[1]',
  'tags',
  'tags[0]',
  'host.name',
  'service.name',
  'host',
  'service',
  'source',
  'stream',
  'status_code',
  'http.response.status_code',
  'url.path',
  'request_route',
  'client.address',
  'user.name',
  'severity_text',
  'severity_number',
  'body',
  'format',
  'position',
  'request_proto',
  "['a b']",
  'attributes.host',
  "['order']['id']",
  'missing',
  'section(url.path)',
  'section(x)',
  'log.file.path',
  'env',
  '[x]',
);
const literals = fc.oneof(
  fc
    .constantFrom(
      'a',
      'b',
      'ab',
      '',
      '500',
      '500.0',
      'true',
      'é',
      '😀x',
      'api',
      '10.1.2.3',
      'web-1',
      'HTTP/1.1',
      'json',
      'ERROR',
      'error',
    )
    .map((text) => JSON.stringify(text)),
  fc.constantFrom('0', '1', '-1', '500', '404', '0.5', '9007199254740991', '1e21', '404.0'),
);
const patterns = fc.constantFrom(
  'a',
  '^a',
  'b$',
  '^$',
  '^.$',
  '\\\\d{3}',
  '(?i)A',
  'a.b',
  '\\\\bb',
  '[^a]',
  '^\\\\S+$',
  '^.{1,300}$',
  'x|é',
  '5\\\\d*',
  '^[a-c]+\\\\B',
  '/api',
  '500',
  '10[.]1[.](2|3)',
  '^(?:/api)+/x?',
);
const terms: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(properties, fc.constantFrom('==', '!=', '='), literals)
    .map(([name, operator, value]) => `${name} ${operator} ${value}`),
  fc
    .tuple(properties, fc.constantFrom('<', '<=', '>', '>='), literals)
    .map(([name, operator, value]) => `${name} ${operator} ${value}`),
  fc
    .tuple(properties, fc.constantFrom('in', 'not in'), fc.array(literals, { minLength: 1, maxLength: 3 }))
    .map(([name, word, list]) => `${name} ${word} (${list.join(', ')})`),
  properties.map((name) => `${name} in 1..500`),
  properties.map((name) => `${name} in cidr("10.1.0.0/15", "192.0.2.1", "2001:db8::/33", "::1")`),
  fc
    .tuple(properties, fc.constantFrom('~', '~*', '!~'), patterns)
    .map(([name, operator, pattern]) => `${name} ${operator} "${pattern.replaceAll('\\\\', '\\')}"`),
  fc
    .tuple(
      properties,
      fc.constantFrom('contains', 'contains*', 'starts_with', 'ends_with', 'not contains'),
      literals,
    )
    .map(([name, word, value]) => `${name} ${word} ${value}`),
  properties.map((name) => `exists ${name}`),
  fc
    .tuple(literals, properties)
    .map(([value, name]) => (value.startsWith('"') ? `${value} in ${name}` : `exists ${name}`)),
  fc
    .tuple(
      fc.constantFrom('==', '<', '<=', '>', '>=', '!='),
      fc.constantFrom('error', 'warn', 'critical', '9', 'info'),
    )
    .map(([operator, value]) => `severity ${operator} ${value}`),
  fc
    .tuple(
      fc.constantFrom('==', '<', '<=', '>', '>=', '!='),
      fc.constantFrom('2026-11-20T10:00:00Z', '2026-11-20T10:00:00.000001Z', '2026-11-21', '1950-01-01'),
    )
    .map(([operator, value]) => `time ${operator} ${value}`),
  fc.constantFrom(
    'severity in warn..error',
    'severity in (debug, error)',
    'time in 2026-11-20..2026-11-21',
    'true',
    'false',
    'observed_time > 2020-01-01',
  ),
);
const expressions = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 3 },
    { weight: 3, arbitrary: terms },
    { weight: 1, arbitrary: tie('text').map((text) => `not (${text})`) },
    { weight: 1, arbitrary: fc.tuple(tie('text'), tie('text')).map(([a, b]) => `${a} and ${b}`) },
    { weight: 1, arbitrary: fc.tuple(tie('text'), tie('text')).map(([a, b]) => `(${a} or ${b})`) },
  ),
})).text;

function parsed(text: string): Expression | undefined {
  try {
    return parseExpression(text);
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

function selectedHere(batch: RecordBatch, expression: Expression): readonly number[] {
  const matches = compileExpression(expression);
  const found: number[] = [];
  forEachLogRecord(batch, (record) => {
    if (matches(record)) found.push(record.position);
  });
  return found;
}

async function selectedInStore(database: SqlDatabase, expression: Expression): Promise<readonly number[]> {
  const condition = expressionSql(dialectOf(database.dialect), expression);
  const query = sql`select position from log_records where ${condition} order by position`;
  const [rows = []] = await database.run([statement(query)], { timeoutMs: 60_000, isReadOnly: true });
  return rows.map((row) => numberOf(row, 'position'));
}

const RESOURCE = new Map([
  ['host.name', 'web-1'],
  ['log.file.path', '/var/log/a.log'],
  ['env', 'a'],
  ['client.address', '10.1.2.3'],
]);

describe('a pattern', () => {
  const sqlOf = (text: string) =>
    ['duckdb', 'postgres'].map((name) => {
      const dialect = dialectOf(name as SqlDatabase['dialect']);
      return statement(expressionSql(dialect, parseExpression(text)));
    });

  test('is preceded by a search for a text that every match has, which an index supports', () => {
    const [duckdb, postgres] = sqlOf('body ~ "order \\d+ failed"');
    expect(duckdb?.text).toMatch(/contains\(.*\) and regexp_matches/s);
    expect(postgres?.text).toMatch(/body like .* and left\(body/s);
    expect(JSON.stringify(postgres)).toContain('% failed%');
  });

  test('is searched alone if no such text is known', () => {
    for (const { text } of sqlOf('body ~ "a|b"')) expect(text).not.toMatch(/like|contains\(body/);
  });
});

describeEachStore('an expression', (openStore) => {
  test('selects the same records as a function, for any records', { timeout: 300_000 }, async () => {
    const { database, write } = await openStore();
    const rows = fc.sample(objects, { numRuns: 150, seed: 7 });
    const batch = jsonBatch(rows, { resource: RESOURCE });
    await write([batch]);
    await fc.assert(
      fc.asyncProperty(expressions, async (text) => {
        const expression = parsed(text);
        if (expression === undefined) return;
        expect({ text, found: await selectedInStore(database, expression) }).toEqual({
          text,
          found: selectedHere(batch, expression),
        });
      }),
      { numRuns: runsIn({ database }, RUNS) },
    );
  });
});
