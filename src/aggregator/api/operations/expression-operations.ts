import { z } from 'zod';
import { ExpressionError } from '../../../expressions/expression-error.ts';
import { expandGroups, groupsIn, parseGrouped } from '../../../expressions/log-groups.ts';
import { MAX_EXPRESSION } from '../../../expressions/parse-expression.ts';
import { propertiesOf } from '../../../expressions/reads-of.ts';
import { HttpError } from '../../../runtime/http/http-error.ts';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import type { StoreContext } from './store-context.ts';

/** The means of the operations on expressions. */
export interface ExpressionContext extends Pick<StoreContext, 'store'> {
  /** Runs a query of the store when it has a place. */
  readonly admit: <T>(signal: AbortSignal, task: () => Promise<T>) => Promise<T>;
}

const expressionProblem = z.object({
  message: z.string(),
  offset: z.int().meta({ description: 'The place in the expression, in UTF-16 units.' }),
  length: z.int().meta({ description: 'Of the word or sign there; 0 at the end of the expression.' }),
  nearest: z.array(z.string()).meta({ description: 'Words that are meant perhaps, the nearest first.' }),
});
type ExpressionProblem = z.infer<typeof expressionProblem>;

export const checkExpression = operation({
  id: 'checkExpression',
  method: 'POST',
  path: '/v1/expressions/check',
  tag: 'logs',
  summary: 'Check an expression, and find the place of its problem.',
  body: z.strictObject({ expression: z.string().max(2 * MAX_EXPRESSION) }),
  status: 200,
  answer: z.object({ valid: z.boolean(), problems: z.array(expressionProblem) }),
  run: async (context: ExpressionContext, { body: { expression }, request }) => {
    const problem = problemIn(expression) ?? (await groupProblem(context, expression, request.signal));
    return { valid: problem === undefined, problems: problem === undefined ? [] : [problem] };
  },
});

export const EXPRESSION_OPERATIONS: readonly Operation<ExpressionContext>[] = [checkExpression];

/** A problem that is found without the store. */
function problemIn(expression: string): ExpressionProblem | undefined {
  return problemOf(() => {
    const found = propertiesOf(parseGrouped(expression)).find(
      (property) => property.kind === 'attribute' && property.isResource === true,
    );
    if (found === undefined) return;
    const { name } = found;
    const key = name.replace(/^resource\./, '');
    const reason = `a store does not keep resources apart from records; write ${key} instead of ${name}`;
    throw new ExpressionError(reason, expression, Math.max(0, expression.indexOf(name)), [key]);
  });
}

/** Without a store that can be queried now, the groups are not checked. */
async function groupProblem(
  { store, admit }: ExpressionContext,
  expression: string,
  signal: AbortSignal,
): Promise<ExpressionProblem | undefined> {
  if (groupsIn(expression).length === 0) return undefined;
  try {
    const { monitor } = store();
    const groups = await admit(signal, () => monitor.logGroups());
    const expressions = new Map(groups.map((group) => [group.id, group.expression]));
    return problemOf(() => expandGroups(expression, expressions));
  } catch (error) {
    if (error instanceof HttpError) return undefined;
    throw error;
  }
}

function problemOf(check: () => unknown): ExpressionProblem | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const { reason, offset, length, nearest } = error;
    return { message: reason, offset, length, nearest: [...nearest] };
  }
}
