import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logfmt } from '../../src/formats/logfmt.ts';

const parse = (text: string) => logfmt.parse(Buffer.from(text));

test('takes time, severity and message from their keys, and keeps the others', () => {
  const read = parse(
    'ts=2026-11-28T10:00:00Z level=warn msg="request \\"x\\" served\\n" status=500 took=1.5 cached\n',
  );
  expect(read).toEqual({
    timeUnixNano: BigInt(Date.parse('2026-11-28T10:00:00Z')) * 1_000_000n,
    severityNumber: 13,
    severityText: 'warn',
    body: 'request "x" served\n',
    attributes: new Map<string, unknown>([
      ['status', 500],
      ['took', 1.5],
      ['cached', true],
    ]),
  });
});

test.each([
  ['a=1', 1],
  ['a=007', '007'],
  ['a=1.50', '1.50'],
  ['a=99999999999999999999', '99999999999999999999'],
  ['a=-5', -5],
  ['a=true', true],
  ['a=', ''],
  ['a=""', ''],
  ['a="1"', '1'],
  ['a=b=c', 'b=c'],
  ['a="\\u00fc\\q"', 'ü\\q'],
  ['a=1 a=2', 2],
])('the value in %s', (text, value) => {
  expect(parse(text).attributes).toEqual(new Map([['a', value]]));
});

test.each(['', 'no pairs', '=1', 'a="open', 'a="x"y', 'say "a=1"', '2024 [x] "a'])(
  '%j is not logfmt',
  (text) => {
    const read = parse(text);
    expect(read.body).toBe(text);
    expect(read.attributes.get('megacollector.parse_error')).toBe('not pairs of keys and values (logfmt)');
  },
);

test('reads the pairs that were written', () => {
  const key = fc.stringMatching(/^[a-zA-Z0-9_.@-]{1,12}$/).map((each) => `k.${each}`);
  fc.assert(
    fc.property(fc.dictionary(key, fc.string({ unit: 'grapheme' }), { minKeys: 1 }), (values) => {
      const text = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
      const read = parse(text.join(' '));
      expect(read.attributes).toEqual(new Map(Object.entries(values)));
    }),
  );
});
