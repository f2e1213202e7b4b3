import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import type { Expression } from '../../src/expressions/expression.ts';
import { ExpressionError } from '../../src/expressions/expression-error.ts';
import { parseExpression } from '../../src/expressions/parse-expression.ts';
import { readsOf } from '../../src/expressions/reads-of.ts';
import { recordView } from '../../src/formats/record-view.ts';
import { jsonBatch } from '../support/json-batch.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);

const RESOURCE = new Map([
  ['host.name', 'web-1'],
  ['service.name', 'shop'],
  ['log.file.path', '/var/log/a.log'],
]);
const RECORD = {
  message: 'payment FAILED for order 7',
  level: 'error',
  time: '2026-11-20T10:00:00Z',
  'http.response.status_code': 503,
  'client.address': '10.9.1.2',
  order: { id: 7, items: [{ sku: 'a-1' }, { sku: 'b-2' }] },
  tags: ['nginx', 'security'],
  text_number: '404.0',
  stream: 'stderr',
  'any name': 'x',
};

function matches(text: string): boolean {
  const record = recordView(jsonBatch([RECORD], { resource: RESOURCE }), 0);
  return compileExpression(parseExpression(text))(record);
}

describe('an expression', () => {
  it.each([
    'status_code == 503',
    'status_code=503',
    'status_code = "503"',
    'status_code in 500..599',
    'status_code in (200, 503)',
    'status_code >= 500 and status_code < 600',
    'status_code ~ "^5"',
    'severity == error',
    'severity >= warn',
    'severity > info and not severity > error',
    'severity in warn..fatal',
    'severity_number == 17',
    'body contains "FAILED"',
    'body contains* "failed"',
    'body ~ "order \\d+$"',
    'body ~* "^PAYMENT"',
    'body starts_with payment',
    'body ends_with "7"',
    'host.name == web-1',
    'service == shop',
    'stream == stderr',
    'source starts_with "/var/log/"',
    'time >= "2026-11-20T10:00:00Z"',
    'time in 2026-11-20..2026-11-21',
    'order.id == 7',
    'order.items[1].sku == "b-2"',
    "order['items'][0]['sku'] == 'a-1'",
    'attributes.order.id == 7',
    "['any name'] == x",
    'tags == security',
    '"security" in tags',
    'tags ~ "^ng"',
    'exists order.id',
    'exists(tags)',
    'not exists missing',
    'missing != 1',
    'not missing == 1',
    'missing not in (1, 2)',
    'missing !~ "a"',
    'tags != other',
    'client.address in cidr("10.8.0.0/15", "192.0.2.0/24")',
    'client.address not in cidr("10.10.0.0/16")',
    'text_number == 404',
    'false or true and not false',
    'true or true and false',
    'not false and true',
    'resource.host.name == web-1',
    'format == json and (status_code == 1 or order.id >= 7)',
  ])('is true: %s', (text) => {
    expect(matches(text)).toBe(true);
  });

  it.each([
    'status_code == 5033',
    'status_code != 503',
    'missing == 1',
    'missing < 1',
    'missing ~ ""',
    'missing not contains "a" and false',
    'tags != security',
    'severity < error',
    'body contains "failed"',
    'not true or false',
    '(true or true) and false',
    'order.items[2].sku == "b-2"',
    'client.address in cidr("10.10.0.0/16")',
    'time < 2026-11-20',
    'exists resource.cloud.region',
  ])('is false: %s', (text) => {
    expect(matches(text)).toBe(false);
  });

  it.each([
    ['status_code ==', /expected a value .* found the end \(line 1, column 15\)/],
    ['status_code equals 5', /expected a comparison .* after status_code/],
    ['body contians "a"', /did you mean contains\?/],
    ['a == 1 b == 2', /expected and, or, or the end, found "b == 2" \(line 1, column 8\)/],
    ['(a == 1', /expected \)/],
    ['a == 1 and\n  severity == banana', /expected a severity .*found "banana" \(line 2, column 12\)/],
    ['time > yesterday', /expected a time such as/],
    ['status_code < "5"', /status_code is a number/],
    ['body ~ "(?=a)"', /invalid regular expression: look-around/],
    ['client.address in cidr("2001:db8::/32")', /IPv6 are not supported/],
    ['client.address in cidr("300.0.0.0/8")', /expected a network/],
    ['', /expected a property/],
    [`${'('.repeat(100)}a == 1`, /nested more than 50 times/],
    ['a == "\\q"', /escapes of JSON/],
  ])('reports the place and what is expected: %s', (text, message) => {
    expect(() => parseExpression(text)).toThrow(ExpressionError);
    expect(() => parseExpression(text)).toThrow(message);
  });

  it.each([
    ['true', 'nothing'],
    ['resource.host.name == a and resource.env in (b, c)', 'batch'],
    ['resource.host.name == a or body contains "x"', 'record'],
    ['source == "/var/log/a.log"', 'record'],
  ])('reports what it reads: %s reads %s', (text, reads) => {
    expect(readsOf(parseExpression(text))).toBe(reads);
  });

  it('is read or rejected with an ExpressionError, whatever its text is', () => {
    const words = fc.constantFrom(
      'a',
      'and',
      'or',
      'not',
      '(',
      ')',
      '==',
      '!=',
      '<',
      '~',
      '~*',
      'in',
      '..',
      '5',
      '"x"',
      "'y'",
      '[',
      ']',
      'exists',
      'contains',
      'severity',
      'time',
      'cidr',
      ',',
      '.',
      '-',
      '\\',
      '"',
      '2026-01-01',
      'section(',
      'tags[0]',
      'resource.a',
    );
    const record = recordView(jsonBatch([RECORD], { resource: RESOURCE }), 0);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(words, { maxLength: 15 }).map((all) => all.join(' ')),
          fc.string({ unit: 'binary', maxLength: 40 }),
        ),
        (text) => {
          let parsed: Expression;
          try {
            parsed = parseExpression(text);
          } catch (error) {
            expect(error).toBeInstanceOf(ExpressionError);
            return;
          }
          expect(typeof compileExpression(parsed)(record)).toBe('boolean');
        },
      ),
      { numRuns: RUNS },
    );
  });
});
