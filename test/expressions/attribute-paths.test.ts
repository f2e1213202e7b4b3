import { expect, test } from 'vitest';
import { attributePaths } from '../../src/expressions/attribute-paths.ts';
import { parseProperty } from '../../src/expressions/property.ts';

const pathsOf = (text: string) => attributePaths(parseProperty(text)).map((path) => [path].flat().join('|'));

test.each([
  ['user', ['user']],
  ['order.id', ['order.id', 'order|id']],
  ['a.b.c', ['a.b.c', 'a|b.c', 'a.b|c', 'a|b|c']],
  ['a.b.c.d.e', ['a.b.c.d.e', 'a|b|c|d|e']],
  ['status_code', ['http.response.status_code', 'status_code']],
  ['service', ['service.name', 'service']],
  ['attributes.host', ['host', 'attributes.host', 'attributes|host']],
  ["['order.id']", ['order.id']],
  ["attributes['order']['id']", ['order|id']],
  ["['url.path']", ['url.path']],
  ['section(url.path)', []],
])('%s may be in these attributes', (text, paths) => {
  expect(pathsOf(text)).toEqual(expect.arrayContaining([...paths]));
  expect(pathsOf(text)[0]).toBe(paths[0]);
});

test('a name with many dots results in a small query', () => {
  expect(attributePaths(parseProperty(`${'a.'.repeat(100)}b`))).toHaveLength(2);
});
