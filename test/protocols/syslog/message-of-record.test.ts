import { expect, it } from 'vitest';
import { messageOfRecord } from '../../../src/protocols/syslog/message-of-record.ts';
import type { LogRecord } from '../../../src/records/log-record.ts';
import { mintStreamId } from '../../../src/records/stream-id.ts';

const DEFAULTS = { facility: 1, severity: 6, host: 'fallback', app: '', identify: false };
const stream = mintStreamId();
const record = (attributes: Record<string, unknown>, changes: Partial<LogRecord> = {}): LogRecord => ({
  body: 'text',
  attributes: new Map(Object.entries(attributes)) as LogRecord['attributes'],
  observedTimeUnixNano: 7n,
  resource: new Map([
    ['host.name', 'resource-host'],
    ['service.name', 'resource-app'],
  ]),
  format: 'plain',
  stream,
  position: 4096,
  ...changes,
});

it('takes what a syslog record brought itself', () => {
  const message = messageOfRecord(
    record({
      'syslog.facility.code': 23,
      'syslog.severity.code': 0,
      'syslog.msg_id': 'ID47',
      'syslog.structured_data': { 'a@1': { ip: ['1', '2'], n: '3' } },
      'host.name': 'own-host',
      'service.name': 'own-app',
      'process.pid': 42,
      other: true,
    }),
    DEFAULTS,
  );
  expect(message).toMatchObject({
    facility: 23,
    severity: 0,
    timeUnixNano: 7n,
    host: 'own-host',
    app: 'own-app',
    processId: '42',
    messageId: 'ID47',
    fields: { other: true },
    text: 'text',
  });
  const expected = [
    ['ip', ['1', '2']],
    ['n', ['3']],
  ];
  expect([...(message.structuredData.get('a@1') ?? [])]).toEqual(expected);
});

it('uses the resource, the severity number and the defaults otherwise', () => {
  expect(messageOfRecord(record({}, { severityNumber: 17 }), DEFAULTS)).toMatchObject({
    facility: 1,
    severity: 3,
    host: 'resource-host',
    app: 'resource-app',
    processId: '',
  });
  expect(messageOfRecord(record({}, { resource: new Map() }), DEFAULTS)).toMatchObject({
    severity: 6,
    host: 'fallback',
    app: '',
  });
});

it.each([24, -1, 1.5, '3', null])('ignores the facility code %j', (code) => {
  expect(messageOfRecord(record({ 'syslog.facility.code': code }), DEFAULTS).facility).toBe(1);
});

it.each(['text', 7, null, ['a'], { a: 'b' }, { a: ['b'] }])('reads the structured data %j', (data) => {
  const message = messageOfRecord(record({ 'syslog.structured_data': data }), DEFAULTS);
  expect([...message.structuredData.values()].every((parameters) => parameters.size === 0)).toBe(true);
});

it('replaces the identity of an earlier sender with its own', () => {
  const sent = record({
    'syslog.structured_data': { 'megacollector@32473': { stream: 'x', position: '1' } },
  });
  const identity = (identify: boolean) =>
    Object.fromEntries(
      messageOfRecord(sent, { ...DEFAULTS, identify }).structuredData.get('megacollector@32473') ?? [],
    );
  expect(identity(false)).toEqual({ stream: ['x'], position: ['1'] });
  expect(identity(true)).toEqual({ stream: [stream], position: ['4096'] });
});
