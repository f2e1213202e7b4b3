import { expect, test } from 'vitest';
import { splitCondition } from '../../../src/logstore/logs/split-condition.ts';

test.each([
  ['a=b=c', 'a', 'b=c'],
  ["['a=b']=c=d", "['a=b']", 'c=d'],
  ["attributes['a=b']['c']=", "attributes['a=b']['c']", ''],
  ['[a=b', '[a', 'b'],
])('%s is a property and a value', (text, property, value) => {
  expect(splitCondition(text)).toEqual({ property, value });
});

test('a text without = is not a condition', () => {
  expect(splitCondition("['a=b']")).toBeUndefined();
});
