import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  expandPath,
  type PathTemplate,
  parsePathTemplate,
} from '../../../src/emitters/file/path-template.ts';

function template(text: string): PathTemplate {
  const parsed = parsePathTemplate(text);
  if (parsed === undefined) throw new Error(`no template: ${text}`);
  return parsed;
}

test('placeholders are replaced by resource attributes', () => {
  const resource = new Map([
    ['host.name', 'web-1'],
    ['service.name', 'shop'],
  ]);
  expect(expandPath(template('/logs/{host.name}/{service.name}-x.log'), resource)).toBe(
    '/logs/web-1/shop-x.log',
  );
  expect(expandPath(template('/logs/plain.log'), resource)).toBe('/logs/plain.log');
});

test.each([
  ['/l/{a}', '../../etc/passwd', '/l/_._.._etc_passwd'],
  ['/l/{a}', '..', '/l/_.'],
  ['/l/{a}', '.', '/l/_'],
  ['/l/{a}', '', '/l/unknown'],
  ['/l/{a}', 'a\u0000b\nc\\d', '/l/a_b_c_d'],
  ['/l/x{a}', '..', '/l/x_.'],
])('%s with "%s"', (path, value, expected) => {
  expect(expandPath(template(path), new Map([['a', value]]))).toBe(expected);
});

test('a missing attribute becomes "unknown"', () => {
  expect(expandPath(template('/l/{a}.log'), new Map())).toBe('/l/unknown.log');
});

test('long names are shortened and stay unique', () => {
  const long = template('/l/{a}.log');
  const one = expandPath(long, new Map([['a', `${'\u00e9'.repeat(300)}1`]]));
  const two = expandPath(long, new Map([['a', `${'\u00e9'.repeat(300)}2`]]));
  expect(one).not.toBe(two);
  for (const path of [one, two]) {
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(203);
    expect(path).not.toContain('\ufffd');
  }
});

test('no value changes the directory', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (value) => {
      const path = expandPath(template('/logs/{a}/out.log'), new Map([['a', value]]));
      const [empty, logs, place = '', out, ...rest] = path.split('/');
      expect([empty, logs, out, rest]).toEqual(['', 'logs', 'out.log', []]);
      expect(place).not.toMatch(/^\.|^$/);
      expect(path).not.toContain('\0');
    }),
  );
});

test.each(['/a/{', '/a/}', '/a/{}', '/a/{a b}', '/a/{{a}}', '/a/{/}', '/a/{.a}'])(
  'no template: %s',
  (text) => {
    expect(parsePathTemplate(text)).toBeUndefined();
  },
);
