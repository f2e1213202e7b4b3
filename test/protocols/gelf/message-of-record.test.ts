import { expect, it } from 'vitest';
import { messageOfRecord } from '../../../src/protocols/gelf/message-of-record.ts';
import type { LogRecord } from '../../../src/records/log-record.ts';
import { parseStreamId, type StreamId } from '../../../src/records/stream-id.ts';

const stream = parseStreamId('00112233445566778899aabbccddeeff') as StreamId;

function record(overrides: Partial<LogRecord> = {}): LogRecord {
  return {
    body: 'first\n  second',
    attributes: new Map<string, string | number>([['http.status', 500]]),
    resource: new Map([
      ['host.name', 'web-1'],
      ['log.file.path', '/var/log/x'],
    ]),
    observedTimeUnixNano: 1_700_000_000_123_456_789n,
    format: 'plain',
    stream,
    position: 42,
    ...overrides,
  };
}

it('contains all values of the record', () => {
  const message = messageOfRecord(record({ severityNumber: 17, severityText: 'ERROR' }));
  expect(message).toMatchObject({
    shortMessage: 'first',
    fullMessage: 'first\n  second',
    host: 'web-1',
    timestamp: 1_700_000_000.123_456,
    level: 3,
  });
  expect(Object.fromEntries(message.fields as Map<string, unknown>)).toEqual({
    'http.status': 500,
    'log.file.path': '/var/log/x',
    severity: 'ERROR',
    stream,
    position: 42,
  });
});

it('prefers the record’s own time, unless GELF cannot represent it', () => {
  expect(messageOfRecord(record({ timeUnixNano: 1_000_000_000n })).timestamp).toBe(1);
  expect(messageOfRecord(record({ timeUnixNano: -5n })).timestamp).toBe(1_700_000_000.123_456);
});

it('keeps an attribute and a value with the same name', () => {
  const attributes = new Map([
    ['log.file.path', 'mine'],
    ['stream', 'stdout'],
  ]);
  const fields = messageOfRecord(record({ attributes })).fields as Map<string, unknown>;
  expect(fields.get('log.file.path')).toBe('mine');
  expect(fields.get('resource.log.file.path')).toBe('/var/log/x');
  expect(fields.get('stream')).toBe(stream);
  expect(fields.get('attribute.stream')).toBe('stdout');
});

it('has the host that the record brings itself, and keeps the host of the collector', () => {
  const message = messageOfRecord(record({ attributes: new Map([['host.name', 'firewall-1']]) }));
  expect(message.host).toBe('firewall-1');
  expect(Object.fromEntries(message.fields as Map<string, unknown>)).toEqual({
    'resource.host.name': 'web-1',
    'log.file.path': '/var/log/x',
    stream,
    position: 42,
  });
  expect(messageOfRecord(record({ attributes: new Map([['host.name', '']]) })).host).toBe('web-1');
});

it('keeps the identity of the stream if the record has an attribute of that name', () => {
  const attributes = new Map([['stream', 'stderr']]);
  const fields = messageOfRecord(record({ attributes })).fields as Map<string, unknown>;
  expect(fields.get('stream')).toBe(stream);
  expect(fields.get('attribute.stream')).toBe('stderr');
});

it('keeps the indentation of a text', () => {
  expect(messageOfRecord(record({ body: '  indented\n    more\n' }))).toMatchObject({
    shortMessage: 'indented',
    fullMessage: '  indented\n    more',
  });
  expect(messageOfRecord(record({ body: '\n  one' }))).toMatchObject({
    shortMessage: 'one',
    fullMessage: '  one',
  });
  expect(messageOfRecord(record({ body: 'plain' })).fullMessage).toBeUndefined();
});
