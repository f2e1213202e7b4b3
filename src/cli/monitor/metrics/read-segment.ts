import { ExpressionError } from '../../../expressions/expression-error.ts';
import { parseExpression } from '../../../expressions/parse-expression.ts';
import type { MetricSegment } from '../../../monitoring/metric-segment.ts';

/**
 * Reads the text of a segment: a property, or an expression. A text with an operator or quotes outside of brackets
 * is an expression, even if it has a mistake; a property with such a name is written in brackets.
 */
export function readSegment(text: string): MetricSegment {
  return OPERATOR.test(text.replaceAll(BRACKETS, '')) || isCondition(text) ? { expression: text } : text;
}

const BRACKETS = /\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]/gs;
const OPERATOR = /[<>=~"']/;

/** `true` is a property, too. */
function isCondition(text: string): boolean {
  try {
    return parseExpression(text).kind !== 'constant';
  } catch (error) {
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}
