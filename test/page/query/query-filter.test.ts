import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExpression } from '../../../src/expressions/parse-expression.ts';
import { filterOf, unquoted } from '../../../src/page/query/query-filter.ts';

describe('the filter of a query', () => {
  it('is nothing for an empty query', () => {
    expect(filterOf('  ')).toEqual({ queryOffset: expect.any(Function) });
  });

  it.each([
    ['timeout', 'timeout'],
    ['connection refused', 'connection refused'],
    ['"a == b"', 'a == b'],
    ["'it is'", 'it is'],
    ['GET /health, 200', 'GET /health, 200'],
    ['  spaces  around ', 'spaces  around'],
  ])('is a text for %s', (query, text) => {
    expect(filterOf(query).text).toBe(text);
    expect(filterOf(query).where).toBeUndefined();
  });

  it.each([
    ['status_code >= 500', 'status_code >= 500'],
    ['true', 'true'],
    ['exists user.name', 'exists user.name'],
    ['a not in (1, 2)', 'a not in (1, 2)'],
    ['"x" in tags', '"x" in tags'],
    ['group("slow")', 'group("slow")'],
    ['section(url.path) == "api"', 'section(url.path) == "api"'],
    ['timeout and status >= 500', 'body contains* "timeout" and status >= 500'],
    ['not timeout', 'not body contains* "timeout"'],
    ['(a == 1 or timeout) and b == 2', '(a == 1 or body contains* "timeout") and b == 2'],
    ['reset by peer or "timed out"', 'body contains* "reset by peer" or body contains* "timed out"'],
    ['worker "out of memory"', '(body contains* "worker" and body contains* "out of memory")'],
    ['a == 1 AND NOT b == 2', 'a == 1 and not b == 2'],
    ["['any name'] == 1 and x", `['any name'] == 1 and body contains* "x"`],
  ])('is an expression for %s', (query, where) => {
    expect(filterOf(query).where).toBe(where);
    expect(filterOf(query).text).toBeUndefined();
  });

  it('leaves a wrong expression as it is, for the error of the aggregator', () => {
    expect(filterOf('status >= ').where).toBe('status >= ');
  });

  it('finds the place of an error in the query', () => {
    const query = 'timeout and status >= and peer reset or b =';
    const { where = '', queryOffset } = filterOf(query);
    expect(queryOffset(where.indexOf('status'))).toBe(query.indexOf('status'));
    expect(queryOffset(where.indexOf('b ='))).toBe(query.indexOf('b ='));
    expect(queryOffset(where.indexOf('reset'))).toBe(query.indexOf('peer'));
    expect(queryOffset(where.length)).toBe(query.length);
  });

  it('makes an expression that the aggregator parses, for any quoted text beside a test', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (text) => {
        const { where = '' } = filterOf(`${JSON.stringify(text)} and a == 1`);
        expect(() => parseExpression(where)).not.toThrow();
      }),
    );
  });

  it('never fails', () => {
    fc.assert(fc.property(fc.string(), (query) => filterOf(query).queryOffset(0) >= 0));
  });
});

it('reads the escapes of a quoted text', () => {
  expect(unquoted('"a \\"b\\" \\u0041"')).toBe('a "b" A');
  expect(unquoted("'it\\'s \"so\"'")).toBe('it\'s "so"');
  expect(unquoted('"unfinished')).toBe('unfinished');
});
