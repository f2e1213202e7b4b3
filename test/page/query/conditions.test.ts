import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExpression } from '../../../src/expressions/parse-expression.ts';
import {
  type Condition,
  conditionText,
  hasCondition,
  partsOf,
  toggleCondition,
  withPart,
} from '../../../src/page/query/conditions.ts';
import {
  attributeProperty,
  nestedProperty,
  readableProperty,
} from '../../../src/page/query/property-name.ts';

const include = (property: string, value: Condition['value']): Condition => ({
  property,
  value,
  isExcluded: false,
});
const exclude = (property: string, value: Condition['value']): Condition => ({
  property,
  value,
  isExcluded: true,
});

describe('a condition', () => {
  it.each([
    [include('status_code', 500), 'status_code == 500'],
    [exclude('url.path', '/a "b"'), 'url.path != "/a \\"b\\""'],
    [include('cached', true), 'cached == true'],
    [include('user.name', null), 'not exists user.name'],
    [exclude('user.name', null), 'exists user.name'],
    [include('load', 1e21), 'load == 1e+21'],
  ])('has the text of an expression: %o', (condition, text) => {
    expect(conditionText(condition)).toBe(text);
  });

  it('is added to a query, and its opposite is removed', () => {
    const one = toggleCondition('', include('a', 1));
    const two = toggleCondition(one, exclude('b', 'x'));
    expect(two).toBe('a == 1 and b != "x"');
    expect(toggleCondition(two, exclude('a', 1))).toBe('b != "x" and a != 1');
  });

  it('is removed when it is there already, however it is written', () => {
    expect(toggleCondition('timeout and a=1 and b == 2', include('a', 1))).toBe('timeout and b == 2');
  });

  it('is added to all alternatives of a query', () => {
    expect(withPart('a == 1 or b == 2', 'c == 3')).toBe('(a == 1 or b == 2) and c == 3');
    expect(withPart('(a == 1 or b == 2) and d == 1', 'c == 3')).toBe(
      '(a == 1 or b == 2) and d == 1 and c == 3',
    );
  });

  it('is found only where it must hold', () => {
    expect(hasCondition('a == 1 and b == 2', include('a', 1))).toBe(true);
    expect(hasCondition('a == 1 or b == 2', include('a', 1))).toBe(false);
    expect(hasCondition('not a == 1', include('a', 1))).toBe(false);
    expect(hasCondition('body contains "a == 1"', include('a', 1))).toBe(false);
  });

  it('is an expression that the aggregator parses, for any name and value', () => {
    const value = fc.oneof(
      fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
      fc.integer(),
      fc.double({ noNaN: true }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), value, fc.boolean(), (name, each, isExcluded) => {
        const text = conditionText({ property: attributeProperty(name), value: each, isExcluded });
        expect(() => parseExpression(text)).not.toThrow();
        expect(partsOf(text)).toHaveLength(1);
      }),
      { numRuns: 50 },
    );
  });

  it('is taken back by the second click, for any value', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const condition = include('a', value);
        const once = toggleCondition('b == 2', condition);
        expect(hasCondition(once, condition)).toBe(true);
        expect(toggleCondition(once, condition)).toBe('b == 2');
      }),
    );
  });
});

it('names attributes so that they are not taken for columns or keywords', () => {
  expect(attributeProperty('url.path')).toBe('url.path');
  expect(attributeProperty('host')).toBe('attributes.host');
  expect(attributeProperty('any name')).toBe('["any name"]');
  expect(attributeProperty('and')).toBe('["and"]');
  expect(nestedProperty('order.items', 0)).toBe('order.items[0]');
  expect(nestedProperty('order.items[0]', 'sku')).toBe('order.items[0].sku');
});

it('writes nested names with dots where they mean the same', () => {
  expect(readableProperty("['http']['response']['status_code']")).toBe('http.response.status_code');
  expect(readableProperty("['a.b']['c']")).toBe("['a.b']['c']");
  expect(readableProperty("['any name']['c']")).toBe("['any name']['c']");
  expect(readableProperty("['host']['name']")).toBe("['host']['name']");
  expect(readableProperty('url.path')).toBe('url.path');
  expect(readableProperty("['any name']")).toBe(attributeProperty('any name'));
});
