import { expect, it } from 'vitest';
import { fieldsOf, fieldValue } from '../../../src/page/records/entry-fields.ts';
import type { LogEntry } from '../../../src/page/records/log-entry.ts';

const ENTRY: LogEntry = {
  time: '2026-11-28T14:03:22.123456Z',
  observedTime: '2026-11-28T14:03:23Z',
  severity: 'error',
  severityNumber: 17,
  severityText: null,
  host: 'web-1',
  service: null,
  source: '/var/log/a.log',
  format: 'json',
  body: 'text',
  attributes: {
    'http.response.status_code': 503,
    host: 'client',
    order: { items: [{ sku: 'b-2' }], 'any name': true },
    empty: [],
    nothing: null,
  },
  stream: 's',
  position: 1,
};

it('lists columns with a value and every nested value, with names of expressions', () => {
  const fields = Object.fromEntries(fieldsOf(ENTRY).map(({ property, value }) => [property, value]));
  expect(fields).toEqual({
    time: ENTRY.time,
    observed_time: ENTRY.observedTime,
    severity: 'error',
    'host.name': 'web-1',
    source: '/var/log/a.log',
    format: 'json',
    'http.response.status_code': 503,
    'attributes.host': 'client',
    'order.items[0].sku': 'b-2',
    'order["any name"]': true,
    empty: '[]',
    nothing: null,
  });
});

it('finds the value of every property that it lists', () => {
  const values = fieldsOf(ENTRY)
    .filter(({ property }) => !['empty'].includes(property))
    .map(({ property, value }) => [property, value, fieldValue(ENTRY, property)]);
  expect(values.filter(([, value, found]) => value !== found)).toEqual([]);
});

it('has no value for an unknown property, and JSON for an object', () => {
  expect(fieldValue(ENTRY, 'unknown')).toBeUndefined();
  expect(fieldValue(ENTRY, 'service.name')).toBeUndefined();
  expect(fieldValue(ENTRY, 'order.items')).toBe('[{"sku":"b-2"}]');
});
