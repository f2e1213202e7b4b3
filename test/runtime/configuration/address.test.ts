import { describe, expect, test } from 'vitest';
import { formatAddress, isLoopback, parseAddress } from '../../../src/runtime/configuration/address.ts';

describe('parseAddress', () => {
  test.each([
    ['127.0.0.1:8000', { host: '127.0.0.1', port: 8000 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['logs-1.example.com:65535', { host: 'logs-1.example.com', port: 65_535 }],
    ['[::1]:8000', { host: '::1', port: 8000 }],
    [':8000', { host: '0.0.0.0', port: 8000 }],
    ['my_service:80', { host: 'my_service', port: 80 }],
  ])('reads %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  test.each([
    ...['', 'localhost', ':', 'localhost:', 'localhost:65536', 'localhost:-1', 'localhost:8e3', '::1:8000'],
    ...[
      '[::1',
      '[::1]',
      '[localhost]:1',
      '127.0.0:80',
      '256.0.0.1:80',
      'a b:80',
      'http://a:80',
      '-a:80',
      'a..b:80',
    ],
  ])('rejects %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test('uses the default port when there is none', () => {
    expect(parseAddress('logs.example.com', 8000)).toEqual({ host: 'logs.example.com', port: 8000 });
    expect(parseAddress('[::1]', 8000)).toEqual({ host: '::1', port: 8000 });
    expect(parseAddress('', 8000)).toBeUndefined();
  });
});

test.each(['127.0.0.1:1', '127.9.9.9:1', '[::1]:1', 'localhost:1'])('%s is loopback', (text) => {
  expect(isLoopback(parseAddress(text) ?? { host: '', port: 0 })).toBe(true);
});

test.each(['0.0.0.0:1', '10.0.0.1:1', '[::]:1', 'example.com:1', ':1'])('%s is not', (text) => {
  expect(isLoopback(parseAddress(text) ?? { host: 'localhost', port: 0 })).toBe(false);
});

test.each(['127.0.0.1:8000', '[::1]:8000', 'a.example.com:1'])('%s is written as it is read', (text) => {
  expect(formatAddress(parseAddress(text) ?? { host: '', port: 0 })).toBe(text);
});

test('formats a Unix socket for gRPC, and treats it as local', () => {
  expect(formatAddress({ socketPath: '/run/a.sock' })).toBe('unix:/run/a.sock');
  expect(isLoopback({ socketPath: '/run/a.sock' })).toBe(true);
});
