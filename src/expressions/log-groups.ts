import { nearestName } from '../runtime/configuration/unknown-variables.ts';
import type { Expression } from './expression.ts';
import { ExpressionError } from './expression-error.ts';
import type { GroupUse } from './group-use.ts';
import { parseExpression } from './parse-expression.ts';

/** The expressions of log groups by their ids. A group contains no group. */
export type LogGroupExpressions = ReadonlyMap<string, string>;

/** A cheap test: a text without it contains no group. */
export function mayUseGroups(expression: string): boolean {
  return /group\s*\(/i.test(expression);
}

/**
 * Parses an expression in which log groups are not replaced yet, to check it, or to list its properties: each
 * group is true. Throws ExpressionError.
 */
export function parseGrouped(expression: string): Expression {
  return parseExpression(expression, () => {});
}

/** The places of log groups in an expression. Throws ExpressionError. */
export function groupsIn(expression: string): readonly GroupUse[] {
  const uses: GroupUse[] = [];
  parseExpression(expression, (use) => uses.push(use));
  return uses;
}

/**
 * Replaces each `group("id")` by the expression of the group, in parentheses. The result is a plain
 * expression, with the limits of one. Throws ExpressionError: a group does not exist, or the result is too
 * long.
 */
export function expandGroups(expression: string, groups: LogGroupExpressions): string {
  if (!mayUseGroups(expression)) return expression;
  let expanded = '';
  let at = 0;
  for (const { id, offset, end, idOffset } of groupsIn(expression)) {
    const replacement = groups.get(id);
    if (replacement === undefined) throw unknownGroup(expression, { id, idOffset }, [...groups.keys()]);
    expanded += `${expression.slice(at, offset)}(${replacement})`;
    at = end;
  }
  expanded += expression.slice(at);
  checkSize(expression, expanded);
  return expanded;
}

function unknownGroup(
  expression: string,
  { id, idOffset }: Pick<GroupUse, 'id' | 'idOffset'>,
  known: readonly string[],
): ExpressionError {
  const nearest = nearestName(id, known);
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  const reason = `there is no log group ${JSON.stringify(id)}${hint}`;
  return new ExpressionError(reason, expression, idOffset, nearest === undefined ? [] : [nearest]);
}

/** The expression with its groups has the same limits; the error names the text of the client. */
function checkSize(expression: string, expanded: string): void {
  if (expanded === expression) return;
  try {
    parseExpression(expanded);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new ExpressionError(`with the expressions of its log groups: ${error.reason}`, expression, 0);
  }
}
