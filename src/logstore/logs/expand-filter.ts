import { ExpressionError } from '../../expressions/expression-error.ts';
import { expandGroups, type LogGroupExpressions, mayUseGroups } from '../../expressions/log-groups.ts';
import type { LogFilter } from './log-requests.ts';
import { FilterError } from './log-search.ts';

/** Whether an expression of the filter may name a log group. */
export function mayFilterByGroup({ where = [] }: LogFilter): boolean {
  return where.some((each) => 'expression' in each && mayUseGroups(each.expression));
}

/** Replaces the log groups in the expressions of a filter. Throws FilterError. */
export function expandFilter<Filter extends LogFilter>(filter: Filter, groups: LogGroupExpressions): Filter {
  if (!mayFilterByGroup(filter)) return filter;
  const where = filter.where?.map((each, at) =>
    'expression' in each
      ? { expression: expandAt(`where[${at}].expression`, each.expression, groups) }
      : each,
  );
  return { ...filter, where };
}

/** Throws FilterError with the place in the request. */
export function expandAt(path: string, expression: string, groups: LogGroupExpressions): string {
  try {
    return expandGroups(expression, groups);
  } catch (error) {
    throw error instanceof ExpressionError ? new FilterError(path, error.message) : error;
  }
}
