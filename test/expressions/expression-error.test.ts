import { expect, test } from 'vitest';
import { ExpressionError } from '../../src/expressions/expression-error.ts';
import { parseExpression } from '../../src/expressions/parse-expression.ts';

function placeOf(text: string) {
  try {
    parseExpression(text);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const { offset, length, nearest } = error;
    return { found: text.slice(offset, offset + length), offset, nearest };
  }
  return undefined;
}

test.each([
  ['status_code >=', '', 14],
  ['status_code  contians "x"', 'contians', 13],
  ['a == 1 and severity ~ "x"', '"x"', 22],
  ['body == "\u{1f600}" or  =', '=', 17],
  ['a == 1 b == 2', 'b', 7],
])('%s: the error has the place of %j in UTF-16 units', (text, found, offset) => {
  expect(placeOf(text)).toMatchObject({ found, offset });
});

test('a misspelt operator is reported with the nearest one', () => {
  expect(placeOf('body contians "x"')?.nearest).toEqual(['contains']);
});
