import { describe, expect, test } from 'vitest';
import { parseLabels } from '../../../src/protocols/http-push/loki-labels.ts';

describe('parseLabels', () => {
  test.each([
    ['{}', {}],
    ['{job="shop", level="info"}', { job: 'shop', level: 'info' }],
    [String.raw`{ a="x\"y\\z\n" ,b="é, }", c="\u00e9\x41"}`, { a: 'x"y\\z\n', b: 'é, }', c: 'éA' }],
    ['{a="1",}', { a: '1' }],
  ])('reads %s', (text, labels) => {
    expect({ ...parseLabels(text) }).toEqual(labels);
  });

  test.each(['', 'job', '{job}', '{job=shop}', '{job="shop}', '{job="a" level="b"}', '{="a"}'])(
    'rejects %j',
    (text) => {
      expect(() => parseLabels(text)).toThrow('labels of a stream are not valid');
    },
  );

  test('reads a label of 60 KB, and rejects longer labels', () => {
    const value = 'x\\"'.repeat(20_000);
    expect(parseLabels(`{a="${value}"}`).a).toHaveLength(40_000);
    expect(() => parseLabels(`{a="${value}${value}"}`)).toThrow('at most 64 KiB');
  });
});
