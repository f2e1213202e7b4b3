import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonRecord } from '../../src/emitters/json-record.ts';
import { recordView } from '../../src/formats/record-view.ts';
import type { LogRecord } from '../../src/records/log-record.ts';
import { parseStreamId } from '../../src/records/stream-id.ts';
import { recordBatch } from '../support/record-batches.ts';

const stream = parseStreamId('0123456789abcdef0123456789abcdef');
const record: LogRecord = {
  ...recordView(recordBatch(['hello\n']), 0),
  ...(stream && { stream }),
  timeUnixNano: 1_700_000_000_123_456_789n,
  severityNumber: 9,
};

test('the keys have a fixed order', () => {
  expect(
    jsonRecord({
      ...record,
      attributes: new Map([
        ['b', 1],
        ['a', 2],
      ]),
    }),
  ).toBe(
    '{"time":"2023-11-14T22:13:20.123456789Z","observed_time":"2023-11-14T22:13:20.000000000Z",' +
      '"severity":"INFO","severity_number":9,"body":"hello","attributes":{"b":1,"a":2},' +
      '"resource":{"host.name":"test-host"},"format":"plain","stream":"0123456789abcdef0123456789abcdef","position":0}',
  );
});

test('keys without a value are absent', () => {
  const bare = recordView(recordBatch(['hello\n']), 0);
  expect(Object.keys(JSON.parse(jsonRecord(bare)) as object)).toEqual([
    'observed_time',
    'body',
    'attributes',
    'resource',
    'format',
    'stream',
    'position',
  ]);
});

test.each([
  [1, 'TRACE'],
  [8, 'DEBUG'],
  [12, 'INFO'],
  [13, 'WARN'],
  [20, 'ERROR'],
  [24, 'FATAL'],
  [0, undefined],
])('severity %i is %s', (severityNumber, name) => {
  expect(JSON.parse(jsonRecord({ ...record, severityNumber }))).toMatchObject(
    name === undefined ? {} : { severity: name },
  );
});

test('attribute names such as __proto__ become own properties', () => {
  const attributes = new Map([['__proto__', { admin: true }]]);
  expect(jsonRecord({ ...record, attributes })).toContain('"attributes":{"__proto__":{"admin":true}}');
});

test('any record becomes one line of JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 2 }), (body, value) => {
      const line = jsonRecord({ ...record, body, attributes: new Map([['key', value as string]]) });
      expect(line).not.toContain('\n');
      expect(JSON.parse(line)).toMatchObject({ body });
    }),
  );
});
