import { expect, test } from 'vitest';
import { hostOf, serviceOf } from '../../src/records/record-origin.ts';

const resource = new Map([
  ['host.name', 'collector-host'],
  ['service.name', 'collector'],
]);

test('a record without its own host and service has those of its resource', () => {
  expect(hostOf({ attributes: new Map(), resource })).toBe('collector-host');
  expect(serviceOf({ attributes: new Map(), resource })).toBe('collector');
  expect(hostOf({ attributes: new Map(), resource: new Map() })).toBeUndefined();
});

test('the own host and service of a record win', () => {
  const attributes = new Map([
    ['host.name', 'firewall-1'],
    ['service.name', 'sshd'],
  ]);
  expect(hostOf({ attributes, resource })).toBe('firewall-1');
  expect(serviceOf({ attributes, resource })).toBe('sshd');
});

test.each(['', 7, null, ['a'], { a: 'b' }])('%j is not a host', (value) => {
  expect(hostOf({ attributes: new Map([['host.name', value]]), resource })).toBe('collector-host');
});
