import { createHash, createHmac } from 'node:crypto';
import { mapTexts } from '../filter-value.ts';
import type { FilterFunction } from './filter-function.ts';

/** The first 32 hexadecimal digits of SHA-256; with a key, of HMAC-SHA-256. */
export const hash: FilterFunction = {
  name: 'hash',
  usage: 'hash(VALUE, key = "a secret")',
  values: [1, 1],
  named: ['key'],
  compile: (call) => {
    const value = call.value(0);
    const key = call.namedText('key');
    const digest = (text: string) =>
      (key === undefined ? createHash('sha256') : createHmac('sha256', key)).update(text).digest('hex');
    return { kind: 'value', read: (run) => mapTexts(value(run), (text) => digest(text).slice(0, DIGITS)) };
  },
};

const DIGITS = 32;
