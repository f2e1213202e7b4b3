import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forEachLogRecord } from '../../src/formats/record-view.ts';
import { formats } from '../../src/formats/registry.ts';
import { ATTRIBUTE_COLUMNS, LOG_COLUMNS } from '../../src/logstore/log-columns.ts';
import { type LogRow, logRow, NUL_REPLACED, rowOrigin } from '../../src/logstore/log-row.ts';
import type { AttributeValue, LogRecord } from '../../src/records/log-record.ts';
import type { Resource } from '../../src/records/resource.ts';
import { mintStreamId } from '../../src/records/stream-id.ts';
import { recordBatch } from '../support/record-batches.ts';

const OBSERVED = 1_700_000_000_123_456_789n;
const OBSERVED_MICRO = 1_700_000_000_123_456;

function record(overrides: Partial<LogRecord> = {}): LogRecord {
  return {
    body: 'hello',
    attributes: new Map(),
    observedTimeUnixNano: OBSERVED,
    resource: new Map(),
    format: 'plain',
    stream: mintStreamId(),
    position: 0,
    ...overrides,
  };
}

function rowOf(overrides: Partial<LogRecord> = {}): LogRow {
  const whole = record(overrides);
  return logRow(whole, rowOrigin(whole.resource));
}

const withAttributes = (entries: Record<string, AttributeValue>) =>
  rowOf({ attributes: new Map(Object.entries(entries)) });

const attributesOf = ({ attributes }: LogRow) =>
  (attributes === null ? {} : JSON.parse(attributes)) as Record<string, unknown>;

const columnOf = ({ columns }: LogRow, attribute: string) =>
  columns[ATTRIBUTE_COLUMNS.findIndex((column) => column.attribute === attribute)];

describe('a row', () => {
  test('contains the values of the record', () => {
    const stream = mintStreamId();
    const row = rowOf({
      timeUnixNano: 1_600_000_000_000_000_999n,
      severityNumber: 17,
      severityText: 'oops',
      body: 'a body',
      resource: new Map([
        ['host.name', 'h'],
        ['service.name', 's'],
        ['log.file.path', '/p'],
      ]),
      format: 'json',
      stream,
      position: 42,
    });
    expect(row).toEqual({
      timeUnixMicro: 1_600_000_000_000_000,
      observedTimeUnixMicro: OBSERVED_MICRO,
      severityNumber: 17,
      severityText: 'oops',
      host: 'h',
      service: 's',
      source: '/p',
      format: 'json',
      body: 'a body',
      attributes: null,
      stream,
      position: 42,
      columns: ATTRIBUTE_COLUMNS.map(() => null),
    });
  });

  test('has null for missing values', () => {
    const nothing = { severityNumber: null, severityText: null, host: null, service: null, source: null };
    expect(rowOf()).toMatchObject({ ...nothing, attributes: null, timeUnixMicro: OBSERVED_MICRO });
    expect(rowOf({ severityNumber: 0 }).severityNumber).toBeNull();
  });

  test('of an access log has a column for each of its usual attributes', () => {
    const line =
      '10.0.0.1 - jane [10/Oct/2000:13:55:36 -0700] "GET /a?b HTTP/1.1" 404 2326 "-" "curl/8.5.0"\n';
    const rows: LogRow[] = [];
    const batch = recordBatch([line], { format: 'combined' });
    forEachLogRecord(batch, (each) => rows.push(logRow(each, rowOrigin(batch.resource))));
    const [row] = rows as [LogRow];
    expect(row.columns).toEqual(['10.0.0.1', 'jane', 'GET', '/a', '1.1', 404, 2326]);
    expect(row).toMatchObject({ severityNumber: 13, host: 'test-host', body: line.trimEnd() });
    expect(attributesOf(row)).toEqual({ 'url.query': 'b', 'user_agent.original': 'curl/8.5.0' });
    expect(LOG_COLUMNS).toHaveLength(12 + row.columns.length);
  });
});

describe('the resource', () => {
  test.each([
    [{ 'log.file.path': '/p', 'postgresql.identity': 'i', 'client.address': 'c' }, '/p'],
    [{ 'postgresql.identity': 'i', 'client.address': 'c' }, 'i'],
    [{ 'client.address': 'c' }, 'c'],
    [{ 'other.key': 'c' }, null],
  ])('finds the source of records in %j: %s', (entries, source) => {
    expect(rowOrigin(new Map(Object.entries(entries))).source).toBe(source);
  });

  test('is kept in attributes if it has no column, and in its column otherwise', () => {
    const resource = new Map([
      ['service.version', '1.2'],
      ['user.name', 'jane'],
      ['http.response.status_code', '200'],
      ['__proto__', 'x'],
    ]);
    const row = rowOf({ resource });
    expect(columnOf(row, 'user.name')).toBe('jane');
    expect(columnOf(row, 'http.response.status_code')).toBeNull();
    expect(row.attributes).toBe(
      '{"service.version":"1.2","http.response.status_code":"200","__proto__":"x"}',
    );
  });

  test('is overridden by the record itself', () => {
    const resource = new Map([
      ['user.name', 'resource'],
      ['team', 'resource'],
      ['http.response.status_code', 'resource'],
    ]);
    const own = rowOf({
      resource,
      attributes: new Map<string, AttributeValue>([
        ['user.name', 'record'],
        ['team', 'record'],
        ['http.response.status_code', 200],
      ]),
    });
    expect(columnOf(own, 'user.name')).toBe('record');
    expect(columnOf(own, 'http.response.status_code')).toBe(200);
    expect(attributesOf(own)).toEqual({ team: 'record' });
    const other = rowOf({ resource, attributes: new Map([['user.name', 7]]) });
    expect(columnOf(other, 'user.name')).toBeNull();
    expect(attributesOf(other)).toMatchObject({ 'user.name': 7 });
  });

  test('is overridden by the host and the service of the record', () => {
    const resource = new Map([
      ['host.name', 'collector-host'],
      ['service.name', 'collector'],
    ]);
    const own = new Map<string, AttributeValue>([
      ['host.name', 'firewall\0'],
      ['service.name', 'sshd'],
    ]);
    expect(rowOf({ resource, attributes: own })).toMatchObject({
      host: 'firewall\ufffd',
      service: 'sshd',
      attributes: `{"${NUL_REPLACED}":true}`,
    });
    const other = new Map<string, AttributeValue>([
      ['host.name', 7],
      ['service.name', ''],
    ]);
    const row = rowOf({ resource, attributes: other });
    expect(row).toMatchObject({ host: 'collector-host', service: 'collector' });
    expect(attributesOf(row)).toEqual({ 'host.name': 7, 'service.name': '' });
  });

  test('tells the aggregator, not the store, which time counts', () => {
    expect(rowOf({ resource: new Map([['megacollector.time', 'observed']]) }).attributes).toBeNull();
  });
});

describe('an attribute is in its column or in attributes', () => {
  test.each<[string, AttributeValue]>([
    ['http.response.status_code', 404],
    ['http.response.status_code', -32_768],
    ['http.response.status_code', 32_767],
    ['http.response.body.size', Number.MAX_SAFE_INTEGER],
    ['http.request.method', ''],
  ])('%s = %j fits', (attribute, value) => {
    const row = withAttributes({ [attribute]: value });
    expect(columnOf(row, attribute)).toBe(value);
    expect(row.attributes).toBeNull();
  });

  test.each<[string, AttributeValue]>([
    ['http.response.status_code', 32_768],
    ['http.response.status_code', 1.5],
    ['http.response.status_code', '404'],
    ['http.response.body.size', 2 ** 53],
    ['http.response.body.size', 1e308],
    ['http.response.body.size', '99999999999999999999'],
    ['http.request.method', 7],
    ['url.path', null],
    ['url.path', ['/a']],
    ['user.name', { first: 'jane' }],
    ['user.name', true],
  ])('%s = %j does not', (attribute, value) => {
    const row = withAttributes({ [attribute]: value });
    expect(columnOf(row, attribute)).toBeNull();
    expect(attributesOf(row)).toEqual({ [attribute]: value });
  });

  test('by names that are special in JavaScript', () => {
    const attributes = new Map<string, AttributeValue>([
      ['__proto__', { polluted: true }],
      ['constructor', 'c'],
      ['toJSON', 't'],
      ['nested', JSON.parse('{"__proto__":{"a":"\\u0000"},"toJSON":1}') as AttributeValue],
    ]);
    const row = rowOf({ attributes });
    expect(row.attributes).toBe(
      '{"__proto__":{"polluted":true},"constructor":"c","toJSON":"t",' +
        `"nested":{"__proto__":{"a":"\ufffd"},"toJSON":1},"${NUL_REPLACED}":true}`,
    );
    expect('polluted' in {}).toBe(false);
  });
});

describe('a time', () => {
  const YEAR_2200 = BigInt(Date.UTC(2200, 0, 1)) * 1_000_000n;

  test.each([0n, 1n, YEAR_2200 - 1n])('of %s ns since 1970 is possible', (timeUnixNano) => {
    const row = rowOf({ timeUnixNano });
    expect(row.timeUnixMicro).toBe(Number(timeUnixNano / 1000n));
    expect(row.attributes).toBeNull();
  });

  test.each([-1n, -(2n ** 63n), YEAR_2200, 2n ** 63n - 1n])(
    'of %s ns is not: it is kept, and the record is where it was observed',
    (timeUnixNano) => {
      const row = rowOf({ timeUnixNano });
      expect(row.timeUnixMicro).toBe(OBSERVED_MICRO);
      expect(attributesOf(row)).toEqual({ 'megacollector.time_unix_nano': String(timeUnixNano) });
    },
  );

  test('of a collector with a wrong clock is limited to the possible range', () => {
    expect(rowOf({ observedTimeUnixNano: 2n ** 64n - 1n }).timeUnixMicro).toBe(Number(YEAR_2200 / 1000n) - 1);
    expect(rowOf({ observedTimeUnixNano: 0n }).observedTimeUnixMicro).toBe(0);
  });
});

describe('replaces characters that databases do not accept', () => {
  test('replaces a NUL anywhere and marks the row', () => {
    const attributes = new Map<string, AttributeValue>([
      ['url.path', '/\0'],
      ['a\0', ['\0', { 'k\0': 'v\0' }]],
    ]);
    const row = rowOf({ body: 'x\0y', severityText: '\0', format: 'f\0', attributes });
    expect(row).toMatchObject({ body: 'x\ufffdy', severityText: '\ufffd', format: 'f\ufffd' });
    expect(columnOf(row, 'url.path')).toBe('/\ufffd');
    expect(attributesOf(row)).toEqual({
      'a\ufffd': ['\ufffd', { 'k\ufffd': 'v\ufffd' }],
      [NUL_REPLACED]: true,
    });
  });

  test.each<[string, Partial<LogRecord>]>([
    ['body', { body: '\0' }],
    ['severity', { severityText: '\0' }],
    ['format', { format: '\0' }],
    ['column', { attributes: new Map([['url.path', '\0']]) }],
    ['attribute', { attributes: new Map([['a', '\0']]) }],
    ['key', { attributes: new Map([['\0', 1]]) }],
    ['host', { resource: new Map([['host.name', '\0']]) }],
    ['column of the resource', { resource: new Map([['user.name', '\0']]) }],
    ['attribute of the resource', { resource: new Map([['a', '\0']]) }],
  ])('a NUL in the %s alone is marked', (_, overrides) => {
    expect(attributesOf(rowOf(overrides))).toMatchObject({ [NUL_REPLACED]: true });
  });

  test('keeps text that only looks like an escaped NUL', () => {
    const row = withAttributes({ a: '\\u0000', b: '\\\\u0000', c: '\\ud800' });
    expect(attributesOf(row)).toEqual({ a: '\\u0000', b: '\\\\u0000', c: '\\ud800' });
  });

  test('a lone surrogate', () => {
    const attributes = new Map<string, AttributeValue>([
      ['url.path', '/\ud800'],
      ['a', '\udc00 \u{1f600}'],
    ]);
    const row = rowOf({ body: '\ud83d', attributes });
    expect(row.body).toBe('\ufffd');
    expect(columnOf(row, 'url.path')).toBe('/\ufffd');
    expect(attributesOf(row)).toEqual({ a: '\ufffd \u{1f600}' });
  });
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  // With halves of surrogate pairs, NULs and what looks like their escapes.
  fc
    .array(fc.constantFrom('\ud800', '\udc00', '\0', '\\', 'u0000', '"', 'x', '\u{1f600}'), { maxLength: 8 })
    .map((parts) => parts.join('')),
);
const key = fc.oneof(
  text,
  fc.constantFrom('__proto__', 'constructor', ...ATTRIBUTE_COLUMNS.map(({ attribute }) => attribute)),
);
const number = fc
  .oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => (Object.is(value, -0) ? 0 : value));
const { value: attributeValue } = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const anyRecord: fc.Arbitrary<LogRecord> = fc.record({
  timeUnixNano: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  observedTimeUnixNano: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  severityNumber: fc.integer({ min: 0, max: 24 }),
  severityText: text,
  body: text,
  attributes: fc.array(fc.tuple(key, attributeValue), { maxLength: 6 }).map((entries) => new Map(entries)),
  resource: fc
    .array(fc.tuple(fc.oneof(key, fc.constantFrom('host.name', 'service.name')), text), { maxLength: 4 })
    .map((entries): Resource => new Map(entries)),
  format: text,
  stream: fc.constant(mintStreamId()),
  position: fc.maxSafeInteger().map(Math.abs),
});

const replaced = (value: string) => value.replaceAll('\0', '\ufffd').replaceAll(/\p{Surrogate}/gu, '\ufffd');

function replacedWithin(value: AttributeValue): AttributeValue {
  if (typeof value === 'string') return replaced(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as AttributeValue[]).map(replacedWithin);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [replaced(name), replacedWithin(each)]),
  );
}

function expectStorable(row: LogRow): void {
  const { columns, ...fields } = row;
  for (const value of [...Object.values(fields), ...columns]) {
    if (typeof value !== 'string') continue;
    expect(value).not.toContain('\0');
    expect(value).not.toMatch(/\p{Surrogate}/u);
  }
  expect(Number.isSafeInteger(row.timeUnixMicro) && row.timeUnixMicro >= 0).toBe(true);
  if (row.attributes === null) return;
  expect(row.attributes.replaceAll('\\\\', '')).not.toMatch(/\\u0000|\\ud[89a-f]/);
  expect(row.attributes).not.toBe('{}');
}

test('converts any record to a row that can be stored, without losing a value', () => {
  fc.assert(
    fc.property(anyRecord, (each) => {
      const row = logRow(each, rowOrigin(each.resource));
      expectStorable(row);
      const attributes = attributesOf(row);
      const names = [...new Set([...each.attributes.keys(), ...each.resource.keys()])].map(replaced);
      for (const [key, value] of each.attributes) {
        const name = replaced(key);
        // Two keys may become one by what is replaced in them.
        if (names.indexOf(name) !== names.lastIndexOf(name)) continue;
        const column = columnOf(row, key) ?? null;
        expect(Object.hasOwn(attributes, name), name).toBe(column === null);
        expect(column ?? attributes[name]).toEqual(replacedWithin(value));
      }
    }),
    { numRuns: 1000 },
  );
});

test.each(formats)('$name: every record becomes a row, for any bytes', ({ name }) => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    fc.json().map((json) => Buffer.from(`${json}\n`)),
    fc.string({ unit: 'binary', minLength: 1 }).map((line) => Buffer.from(JSON.stringify({ [line]: line }))),
    text.map((each) => Buffer.from(`h - - [10/Oct/2000:13:55:36 -0700] "GET /${each} HTTP/1.1" 200 1\n`)),
  );
  fc.assert(
    fc.property(fc.array(bytes, { minLength: 1, maxLength: 3 }), (records) => {
      const batch = recordBatch(records, { format: name });
      const origin = rowOrigin(batch.resource);
      forEachLogRecord(batch, (each) => expectStorable(logRow(each, origin)));
    }),
  );
});
