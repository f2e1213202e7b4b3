import { describe, expect, test } from 'vitest';
import { OTLP_CONTEXT } from '../../src/formats/marker-attributes.ts';
import { otlp } from '../../src/formats/otlp.ts';
import { recordView } from '../../src/formats/record-view.ts';
import { keyValuesOf } from '../../src/protocols/otlp/any-value.ts';
import { embedContext } from '../../src/protocols/otlp/embedded-context.ts';
import type { AnyValue } from '../../src/records/gen/opentelemetry/proto/common/v1/common.ts';
import { LogRecord, ResourceLogs } from '../../src/records/gen/opentelemetry/proto/logs/v1/logs.ts';
import { recordBatch } from '../support/record-batches.ts';

const EMPTY: LogRecord = {
  timeUnixNano: 0n,
  observedTimeUnixNano: 0n,
  severityNumber: 0,
  severityText: '',
  body: undefined,
  attributes: [],
  droppedAttributesCount: 0,
  flags: 0,
  traceId: Buffer.alloc(0),
  spanId: Buffer.alloc(0),
  eventName: '',
};
const bytesOf = (record: Partial<LogRecord>) => LogRecord.encode({ ...EMPTY, ...record }).finish();
const parsed = (record: Partial<LogRecord>) => otlp.parse(bytesOf(record));
const text = (value: string): AnyValue => ({ value: { $case: 'stringValue', value } });
const attribute = (value: AnyValue) => parsed({ attributes: [{ key: 'key', value }] }).attributes.get('key');

const context = ResourceLogs.encode({
  resource: {
    attributes: keyValuesOf([
      ['service.name', 'shop'],
      ['process.pid', 42],
    ]),
    droppedAttributesCount: 0,
  },
  scopeLogs: [
    {
      scope: {
        name: 'cart',
        version: '1.2',
        attributes: keyValuesOf([['beta', true]]),
        droppedAttributesCount: 0,
      },
      logRecords: [],
      schemaUrl: 'https://scope.example',
    },
  ],
  schemaUrl: '',
}).finish();
const peer = new Map([[OTLP_CONTEXT, Buffer.from(context).toString('base64')]]);

describe('the fields of a log record', () => {
  test('become time, severity, body and attributes', () => {
    const record = parsed({
      timeUnixNano: 1_700_000_000_123_456_789n,
      observedTimeUnixNano: 1_700_000_001_000_000_000n,
      severityNumber: 10,
      severityText: 'Notice',
      body: text('hello'),
      flags: 1,
      traceId: Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex'),
      spanId: Buffer.from('b7ad6b7169203331', 'hex'),
      eventName: 'cart.filled',
      droppedAttributesCount: 3,
    });
    expect(record).toEqual({
      timeUnixNano: 1_700_000_000_123_456_789n,
      severityNumber: 10,
      severityText: 'Notice',
      body: 'hello',
      attributes: new Map<string, unknown>([
        ['trace_id', '0af7651916cd43dd8448eb211c80319c'],
        ['span_id', 'b7ad6b7169203331'],
        ['trace_flags', 1],
        ['otel.event.name', 'cart.filled'],
        ['otel.dropped_attributes_count', 3],
        ['otel.observed_time', '2023-11-14T22:13:21.000000000Z'],
      ]),
    });
  });

  test('give the time of the observation to a record without a time', () => {
    const { timeUnixNano, attributes } = parsed({ observedTimeUnixNano: 7n });
    expect(timeUnixNano).toBe(7n);
    expect(attributes.size).toBe(0);
  });

  test('give the severity of its name to a record without a number', () => {
    expect(parsed({ severityText: 'ERROR' }).severityNumber).toBe(17);
    expect(parsed({ severityNumber: 99 }).severityNumber).toBeUndefined();
  });
});

describe('a value keeps its type', () => {
  test.each<[string, AnyValue, unknown]>([
    ['text', text('a'), 'a'],
    ['boolean', { value: { $case: 'boolValue', value: false } }, false],
    [
      'exact integer',
      { value: { $case: 'intValue', value: -9_007_199_254_740_991n } },
      -9_007_199_254_740_991,
    ],
    [
      'larger integer, as text',
      { value: { $case: 'intValue', value: 2n ** 60n + 1n } },
      '1152921504606846977',
    ],
    ['number', { value: { $case: 'doubleValue', value: 0.5 } }, 0.5],
    ['number that JSON does not have', { value: { $case: 'doubleValue', value: Number.NaN } }, 'NaN'],
    ['bytes', { value: { $case: 'bytesValue', value: Buffer.from([1, 2]) } }, 'AQI='],
    [
      'list',
      { value: { $case: 'arrayValue', value: { values: [text('a'), { value: undefined }] } } },
      ['a', null],
    ],
    [
      'map',
      { value: { $case: 'kvlistValue', value: { values: [{ key: 'a', value: text('b') }] } } },
      { a: 'b' },
    ],
    ['nothing', { value: undefined }, null],
  ])('%s', (_, value, expected) => {
    expect(attribute(value)).toEqual(expected);
  });

  test('and a map has no special keys', () => {
    const values = [{ key: '__proto__', value: text('x') }];
    const value = attribute({ value: { $case: 'kvlistValue', value: { values } } });
    expect(JSON.stringify(value)).toBe('{"__proto__":"x"}');
    expect('x' in {}).toBe(false);
  });
});

test('a body that is not a text is JSON', () => {
  const values = [{ key: 'a', value: { value: { $case: 'intValue' as const, value: 1n } } }];
  expect(parsed({ body: { value: { $case: 'kvlistValue', value: { values } } } }).body).toBe('{"a":1}');
  expect(parsed({ body: { value: { $case: 'doubleValue', value: 1.5 } } }).body).toBe('1.5');
});

describe('resource and scope', () => {
  const expected = {
    'service.name': 'shop',
    'process.pid': 42,
    'otel.scope.name': 'cart',
    'otel.scope.version': '1.2',
    'otel.scope.attributes': { beta: true },
    'otel.scope.schema_url': 'https://scope.example',
  };

  test('become attributes, from the peer of the record', () => {
    const batch = recordBatch([bytesOf({ body: text('a') })], {
      format: 'otlp',
      peers: [peer],
      recordPeers: Uint32Array.of(1),
    });
    expect(Object.fromEntries(recordView(batch, 0).attributes)).toEqual(expected);
  });

  test('become attributes, from a field of the record', () => {
    const { attributes, body } = otlp.parse(embedContext(bytesOf({ body: text('a') }), context));
    expect(Object.fromEntries(attributes)).toEqual(expected);
    expect(body).toBe('a');
  });

  test('keep an attribute of the resource that the record has with another value', () => {
    const { attributes } = otlp.parse(
      embedContext(bytesOf({ attributes: [{ key: 'service.name', value: text('own') }] }), context),
    );
    expect(attributes.get('service.name')).toBe('own');
    expect(attributes.get('resource.service.name')).toBe('shop');
  });
});

test('marks a text that is not UTF-8, and not one that contains U+FFFD', () => {
  // The body 0xff: field 5, 3 bytes; field 1, 1 byte.
  const invalid = otlp.parse(Uint8Array.of(0x2a, 3, 0x0a, 1, 0xff));
  expect(invalid.body).toBe('\ufffd');
  expect(invalid.attributes.get('megacollector.invalid_utf8')).toBe(true);
  expect(parsed({ body: text('\ufffd') }).attributes.size).toBe(0);
});

test('reads damaged and deeply nested bytes as plain text with the reason', () => {
  const whole = bytesOf({ body: text('x'.repeat(100)) });
  let nested: AnyValue = text('x');
  for (let depth = 0; depth < 80; depth++)
    nested = { value: { $case: 'arrayValue', value: { values: [nested] } } };
  for (const bytes of [
    whole.subarray(0, 50),
    Buffer.from([0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    bytesOf({ body: nested }),
  ])
    expect(otlp.parse(bytes).attributes.get('megacollector.parse_error')).toBe('not a log record of OTLP');
});
