import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileFilter } from '../../src/filters/compile-filter.ts';
import { runFilterTests } from '../../src/filters/filter-tests.ts';
import type { AttributeValue } from '../../src/records/log-record.ts';
import { filterTables } from '../support/filter-tables.ts';
import { filteredRecord } from '../support/run-filter.ts';

/** Programs and lines; each program runs on one line. `make fuzz` sets the number. */
const { FUZZ_RUNS, FUZZ_SEED } = process.env;
const RUNS = Number(FUZZ_RUNS ?? 20_000);
/** Only then are durations checked: the tests need no idle machine. */
const IS_LONG = FUZZ_RUNS !== undefined;
const MAX_MS = 100;

/** The program that took the longest. A pause of the machine is no property of a program: it is measured again. */
class Slowest {
  ms = 0;
  program = '';

  note(program: string, run: () => unknown): void {
    let ms = Number.POSITIVE_INFINITY;
    for (let at = 0; at < 5 && ms > Math.max(this.ms, MAX_MS); at++) ms = Math.min(ms, timeOf(run));
    if (ms <= this.ms) return;
    this.ms = ms;
    this.program = program;
  }
}

function timeOf(run: () => unknown): number {
  const before = performance.now();
  run();
  return performance.now() - before;
}

const TABLES = filterTables();

const property = fc.constantFrom(
  ...[
    '[a]',
    '[b.c]',
    'body',
    'severity',
    'time',
    'tags',
    'host.name',
    "['x y']",
    'order.items[0].id',
    'status_code',
  ],
  ...['app_name', 'facility', 'resource.a', 'section(url.path)', 'source', 'position', '[order][id]'],
);
const text = fc.oneof(
  fc.constantFrom(
    '"x"',
    "'a b'",
    '"10.0.0.1"',
    '"10.0.0.0/8"',
    '"\\\\d+"',
    '"(a+)+$"',
    '"%{IP:ip}"',
    '"hosts.csv"',
    '""',
  ),
  fc.string({ maxLength: 12 }).map((each) => JSON.stringify(each)),
);
const { value } = fc.letrec<{ value: string; call: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    property,
    fc.integer().map(String),
    tie('call'),
    fc.tuple(tie('value'), tie('value')).map((parts) => parts.join(' + ')),
  ),
  call: fc
    .tuple(
      fc.constantFrom(
        ...[
          'grok',
          'regex',
          'kv',
          'csv',
          'json',
          'cef',
          'leef',
          'logfmt',
          'geoip',
          'useragent',
          'cidr',
          'timestamp',
        ],
        ...['number', 'lower', 'upper', 'replace', 'mask', 'hash', 'sample', 'lookup', 'resource', 'nothing'],
      ),
      fc.array(
        fc.oneof(
          tie('value'),
          fc
            .tuple(fc.constantFrom('from', 'prefix', 'pair', 'keep', 'by'), tie('value'))
            .map((each) => each.join(' = ')),
        ),
        { maxLength: 3 },
      ),
    )
    .map(([name, values]) => `${name}(${values.join(', ')})`),
}));
const condition = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small' },
    fc
      .tuple(property, fc.constantFrom('==', '!=', '<', '>=', '~', '~*', 'contains', 'in'), value)
      .map((parts) => parts.join(' ')),
    value,
    fc
      .tuple(text, fc.constantFrom('in', 'notin'), fc.constantFrom('tags', 'custom_fields'))
      .map((parts) => parts.join(' ')),
    property.map((each) => `exists ${each}`),
    fc
      .tuple(tie('condition'), fc.constantFrom('and', 'or'), tie('condition'))
      .map((parts) => parts.join(' ')),
    tie('condition').map((each) => `not (${each})`),
  ),
})).condition;
const statement = fc.letrec<{ statement: string }>((tie) => ({
  statement: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(property, value).map((parts) => parts.join(' := ')),
    value.map((each) => `tags += ${each}`),
    property.map((each) => `delete ${each}`),
    fc.tuple(property, property).map(([from, to]) => `rename ${from} to ${to}`),
    fc.constantFrom('drop', 'stop', 'route("x")'),
    condition.map((each) => `drop if ${each}`),
    fc.tuple(property, fc.constantFrom('', ' by ","')).map(([each, by]) => `split ${each}${by}`),
    value,
    fc
      .tuple(condition, tie('statement'), tie('statement'))
      .map(([test, yes, no]) => `if ${test} { ${yes} } else { ${no} }`),
  ),
})).statement;
const noise = fc
  .array(
    fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom('if', '{', '}', '(', ')', ':=', '"', 'test', 'given', 'expect'),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(' '));
const program = fc.oneof(
  { weight: 9, arbitrary: fc.array(statement, { maxLength: 5 }).map((all) => all.join('\n')) },
  { weight: 1, arbitrary: noise },
);
const line = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    'a=1 b=2',
    '{"a":[1,2]}',
    '1,2,3',
    'CEF:0|a|b|c|d|e|f|g=h',
    '81.2.69.142',
    'a'.repeat(3000),
  ),
);
const attributes = fc.dictionary(
  fc.constantFrom('a', 'b.c', 'b', 'x y', 'order', 'tags', '__proto__', 'url.path'),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<AttributeValue>,
);

test('no program and no line throws, and the same input has the same output', () => {
  let compiled = 0;
  const slowest = new Slowest();
  fc.assert(
    fc.property(program, line, attributes, (source, body, own) => {
      const options = { file: 'a.filter', tables: TABLES, emitter: 'x' };
      const first = compileFilter(source, options);
      if (first.kind === 'problems') {
        expect(first.problems.length).toBeGreaterThan(0);
        return;
      }
      compiled++;
      const record = filteredRecord(body, own, { position: body.length });
      const before = structuredClone(own);
      const result = first.program.run(record);
      const again = compileFilter(source, options);
      expect(again.kind === 'program' && again.program.run(record)).toEqual(result);
      expect(first.program.run(record)).toEqual(result);
      expect(Object.fromEntries(record.attributes)).toEqual(before);
      if (first.program.reads !== 'fields') expect(result.kind).not.toBe('records');
      const decision = first.program.decide(record.resource);
      const known = first.program.reads === 'resource' || decision !== 'run';
      if (known) expect(decision).toBe(result.kind === 'dropped' ? 'drop' : 'keep');
      if (known) expect(result.kind).not.toBe('records');
      if (IS_LONG) slowest.note(source, () => [compileFilter(source, options), first.program.run(record)]);
      runFilterTests(source, options);
    }),
    { numRuns: RUNS, ...(FUZZ_SEED !== undefined && { seed: Number(FUZZ_SEED) }) },
  );
  expect(compiled).toBeGreaterThan(RUNS / 20);
  if (!IS_LONG) return;
  const { ms, program: source } = slowest;
  process.stdout.write(
    `${RUNS} programs, ${compiled} valid; the slowest took ${ms.toFixed(1)} ms: ${JSON.stringify(source)}\n`,
  );
  expect(ms).toBeLessThan(MAX_MS);
}, 6_000_000);
