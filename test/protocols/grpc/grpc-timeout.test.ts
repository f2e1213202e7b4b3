import { expect, it } from 'vitest';
import { formatTimeout, parseTimeout } from '../../../src/protocols/grpc/grpc-timeout.ts';

it.each([
  ['2H', 7_200_000],
  ['3M', 180_000],
  ['5S', 5_000],
  ['100m', 100],
  ['500u', 0.5],
  ['1000000n', 1],
  ['123456789S', undefined],
  ['5', undefined],
  ['5s', undefined],
  ['-5S', undefined],
])('reads %s', (text, ms) => expect(parseTimeout(text)).toBe(ms));

it.each([
  [0.2, '1m'],
  [10_000, '10000m'],
  [200_000_000, '200000S'],
])('writes %s ms', (ms, text) => expect(formatTimeout(ms)).toBe(text));
