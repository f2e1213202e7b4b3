import { ExpressionError } from '../../expressions/expression-error.ts';
import { parseExpression } from '../../expressions/parse-expression.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { printable } from '../output/text-table.ts';
import { textWidth } from '../output/text-width.ts';

/** Throws CommandError with the problem under its place in the expression. */
export function checkWhere(where: string): void {
  try {
    parseExpression(where);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new CommandError(`Cannot use --where: ${error.reason}.\n${placeText(where, error)}`, EXIT.usage);
  }
}

/** The line of the expression, with marks under the place. */
function placeText(where: string, { offset, length }: ExpressionError): string {
  const begin = where.lastIndexOf('\n', offset - 1) + 1;
  const [line = ''] = where.slice(begin).split('\n');
  const before = printable(line.slice(0, offset - begin));
  const marks = '^'.repeat(Math.max(1, textWidth(printable(where.slice(offset, offset + length)))));
  return `  ${printable(line)}\n  ${' '.repeat(textWidth(before))}${marks}`;
}
