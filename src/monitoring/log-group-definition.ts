import { z } from 'zod';
import { ExpressionError } from '../expressions/expression-error.ts';
import { groupsIn } from '../expressions/log-groups.ts';
import { expressionText } from '../logstore/logs/log-requests.ts';
import { changesInAnswer, identifier } from './metric-definition.ts';

/** A saved set of conditions, which expressions of searches and metrics name: `group("checkout")`. */
export const logGroupDefinition = z
  .strictObject({
    id: identifier,
    description: z.string().max(1000).default(''),
    expression: expressionText.superRefine((text, context) => {
      if (usesGroup(text))
        context.addIssue({ code: 'custom', message: 'a log group cannot use another log group' });
    }),
  })
  .meta({ description: 'A log group: a saved expression.' });
export type LogGroupDefinition = z.output<typeof logGroupDefinition>;

export const logGroupReport = z.object({
  ...logGroupDefinition.shape,
  createdAt: z.string().meta({ description: 'When the group was created or changed.' }),
  usedBy: z.array(z.string()).meta({ description: 'The metrics that use the group.' }),
});
export type LogGroupReport = z.infer<typeof logGroupReport>;

export const editedLogGroup = z.object({ ...logGroupReport.shape, changes: changesInAnswer });
export type EditedLogGroup = z.infer<typeof editedLogGroup>;

function usesGroup(text: string): boolean {
  try {
    return groupsIn(text).length > 0;
  } catch (error) {
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}
