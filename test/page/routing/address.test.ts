import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../../src/page/routing/address.ts';

it('parses the page, its path and its parameters', () => {
  expect(parseAddress('#/r/web-1%2Fa/42?q=a+b&utc=1')).toEqual({
    path: ['r', 'web-1/a', '42'],
    parameters: { q: 'a b', utc: '1' },
  });
  expect(parseAddress('')).toEqual({ path: [], parameters: {} });
});

it('keeps what people read in the address', () => {
  const address = { path: ['search'], parameters: { cols: 'time:180,host.name:120,body', from: '15m' } };
  expect(formatAddress(address)).toBe('#/search?cols=time:180,host.name:120,body&from=15m');
});

it('returns the same state for any text', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), text, (path, q) => {
      expect(parseAddress(formatAddress({ path, parameters: { q } }))).toEqual({ path, parameters: { q } });
    }),
  );
});

it('does not fail for a link that was cut in an escape', () => {
  expect(parseAddress('#/r/a%2/1?q=%E2%82').path).toEqual(['r', 'a%2', '1']);
});
