import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { type LogFilter, logFilter, SEVERITIES } from '../../../src/logstore/logs/log-requests.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { nastyText } from '../../support/nasty-text.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { matches, newestFirst, rowsOf } from '../../support/row-model.ts';
import { describeEachStore, runsIn, type TestStore } from '../../support/stores.ts';

const searchIn = ({ database }: TestStore) => {
  const logs = createLogSearch(database, { clock: new FakeClock() });
  return async (filter: LogFilter) => (await logs.search({ ...filter, limit: 1000 })).entries;
};

const ACCESS = [
  '10.0.0.1 - frank [31/Jan/2026:10:00:00 +0000] "GET /api/users HTTP/1.1" 200 10\n',
  '10.0.0.2 - - [31/Jan/2026:10:00:01 +0000] "POST /api HTTP/1.0" 404 200\n',
  '10.0.0.3 - - [31/Jan/2026:10:00:02 +0000] "GET / HTTP/2.0" 500 0\n',
  '10.0.0.4 - - [31/Jan/2026:10:00:03 +0000] "-" 408 -\n',
];

/** Few values and few names: so that some records match. */
const value = fc.oneof(
  fc.constantFrom('a', 'b', 'A', '/a/b', '1', 'true'),
  nastyText(40),
  fc.integer({ min: -3, max: 3 }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom({ a: 1 }, [1, 2], []),
);
const key = fc.constantFrom(
  'k',
  'k.l',
  'a/b',
  '__proto__',
  'toString',
  'url.path',
  'http.response.status_code',
);
const logged = fc
  .record(
    {
      level: fc.constantFrom(...SEVERITIES, 'NOTICE', 'none'),
      msg: fc.oneof(fc.constantFrom('abc', 'ABC d', 'a%c', 'a_c', '100 %'), nastyText()),
    },
    { requiredKeys: [] },
  )
  .chain((record) =>
    fc
      .array(fc.tuple(key, value), { maxLength: 4 })
      .map((pairs) => ({ ...record, ...Object.fromEntries(pairs) })),
  );
const batchOf = fc
  .tuple(
    fc.array(logged, { minLength: 1, maxLength: 4 }),
    fc.option(fc.constantFrom('h1', "h'2")),
    fc.option(fc.constantFrom('s1', 's%')),
  )
  .map(([records, host, service]) =>
    jsonBatch(records, {
      resource: new Map([
        ...(host === null ? [] : [['host.name', host] as const]),
        ...(service === null ? [] : [['service.name', service] as const]),
      ]),
    }),
  );

const property = fc.oneof(
  key,
  fc.constantFrom(
    'section(url.path)',
    'section(k)',
    'body',
    'format',
    'severity_number',
    'severity_text',
    'host.name',
  ),
);
const asked = fc.record(
  {
    text: fc.oneof(
      fc.constantFrom('a', 'bc', 'A%', 'a_c', '%', '_', '\\'),
      nastyText(),
      fc.string({ minLength: 1 }),
    ),
    severity: fc.constantFrom(...SEVERITIES),
    host: fc.oneof(fc.constantFrom('h1', "h'2"), nastyText()),
    service: fc.oneof(fc.constantFrom('s1', 's%'), nastyText()),
    where: fc.array(
      fc.record({
        property,
        value: fc.oneof(fc.constantFrom('a', 'b', '1', '1.0', '-0', 'true', 'json', '', '9'), nastyText()),
      }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: [] },
);
/** Lower case is not one to one everywhere, and every database has its own opinion where it is not. */
const isPlain = ({ text = '' }: LogFilter) => !/[^\P{L}A-Za-z]/u.test(text);

/** Up to 600 searches, each a query of a database that shares the machine with other tests. */
const MANY_SEARCHES = { timeout: 300_000 };

describeEachStore('a filter', (openStore) => {
  test('finds the same as a plain loop over the records', MANY_SEARCHES, async () => {
    const store = await openStore();
    const search = searchIn(store);
    const rows = rowsOf([]);
    await fc.assert(
      fc.asyncProperty(
        batchOf,
        fc.array(asked.filter(isPlain), { minLength: 1, maxLength: 6 }),
        async (batch, all) => {
          if (rows.length < 900) {
            await store.write([batch]);
            rows.push(...rowsOf([batch]));
          }
          for (const each of all) {
            const filter = logFilter.parse(each);
            const found = (await search(filter)).map(({ stream, position }) => `${stream}@${position}`);
            const expected = newestFirst(rows.filter((row) => matches(row, filter)));
            expect(found).toEqual(expected.map(({ stream, position }) => `${stream}@${position}`));
          }
        },
      ),
      { numRuns: runsIn(store, 100) },
    );
  });

  test('supports the short names of access logs, and compares numbers and names by their meaning', async () => {
    const store = await openStore();
    const [first = ''] = ACCESS;
    const access = recordBatch(ACCESS, { format: 'combined' });
    await store.write([
      access,
      jsonBatch([
        { time: '2026-01-31T10:00:04.5Z', level: 'critical', msg: '', 'http.response.status_code': '200' },
      ]),
    ]);
    const search = searchIn(store);
    const found = async (property: string, text: string) => {
      const entries = await search({ where: [{ property, value: text }] });
      return entries.map(({ time }) => Number(time.slice(17, 19))).sort((a, b) => a - b);
    };
    const expectations: readonly (readonly [property: string, value: string, found: readonly number[]])[] = [
      ['status_code', '200', [0, 4]],
      ['status_code', '200.0', [0]],
      ['status_code', '2e2', [0]],
      ['status_code', ' 200', []],
      ['status_code', '200.5', []],
      ['status_code', '0xc8', []],
      ['status_code', '', []],
      ['status_code', '1e999', []],
      ['status_code', '99999999999999999999', []],
      ['http.response.body.size', '200', [1]],
      ['response_bsize', '0', [2]],
      ['response_bsize', '-0', [2]],
      ['request_method', 'GET', [0, 2]],
      ['request_method', 'get', []],
      ['request_proto', 'HTTP/1.1', [0]],
      ['request_proto', '1.1', [0]],
      ['request_proto', 'http/1.1', []],
      ['network.protocol.version', '1.1', [0]],
      ['network.protocol.version', 'HTTP/1.1', []],
      ['ruser', 'frank', [0]],
      ['host', '10.0.0.2', [1]],
      ['host.name', 'test-host', [0, 1, 2, 3, 4]],
      ['request_route', '/api', [1]],
      ['section(path)', 'api', [0, 1]],
      ['section(url.path)', '', [2]],
      ['severity', 'info', [0]],
      ['severity', 'ERROR', [2, 4]],
      ['severity', '18', [4]],
      ['severity_number', '18', [4]],
      ['severity_number', 'error', []],
      ['time', '2026-01-31T11:00:01+01:00', [1]],
      ['time', '2026-01-31T10:00:04.500000Z', [4]],
      ['ts', '2026-01-31T10:00:04.500001Z', []],
      ['time', '15m', []],
      ['time', '1960-01-31T10:00:04Z', []],
      ['time', 'now', []],
      ['stream', access.stream, [0, 1, 2, 3]],
      ['stream', access.stream.toUpperCase(), [0, 1, 2, 3]],
      ['stream', access.stream.slice(1), []],
      ['stream', "'", []],
      ['position', `${first.length}`, [1]],
      ['format', 'combined', [0, 1, 2, 3]],
      ['body', first.trimEnd(), [0]],
    ];
    for (const [name, text, expected] of expectations) {
      expect([name, text, await found(name, text)]).toEqual([name, text, expected]);
    }
  });

  test('filters by a minimum severity', async () => {
    const store = await openStore();
    const levels = [...SEVERITIES, 'notice', 'critical', 'whatever'];
    await store.write([jsonBatch(levels.map((level) => ({ level, msg: level })))]);
    const found = async (severity: LogFilter['severity']) =>
      (await searchIn(store)({ severity })).map(({ body }) => body).sort();
    expect(await found('fatal')).toEqual(['fatal']);
    expect(await found('error')).toEqual(['critical', 'error', 'fatal']);
    expect(await found('info')).toEqual(['critical', 'error', 'fatal', 'info', 'notice', 'warn']);
    expect(await found('trace')).toEqual(levels.filter((level) => level !== 'whatever').sort());
  });
});
