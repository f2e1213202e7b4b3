import { z } from 'zod';
import { parseGrouped } from '../expressions/log-groups.ts';
import { propertiesOf } from '../expressions/reads-of.ts';
import { expressionText, propertyName } from '../logstore/logs/log-requests.ts';

/** Maximum length of a segment's name. */
export const SEGMENT_CHARACTERS = 256;
const MAX_NAMED_SEGMENTS = 16;

const namedSegment = z.strictObject({
  name: z
    .string()
    .min(1, 'expected a name')
    .max(SEGMENT_CHARACTERS, `expected at most ${SEGMENT_CHARACTERS} characters`)
    .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'expected a name without control characters'),
  where: expressionText,
});

const namedSegments = z
  .array(namedSegment)
  .min(1, 'expected at least one named expression')
  .max(MAX_NAMED_SEGMENTS)
  .superRefine((segments, context) => {
    const names = segments.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice === undefined) return;
    const message = `expected a different name for each segment, found ${JSON.stringify(twice)} twice`;
    context.addIssue({ code: 'custom', message });
  });

/**
 * The series that a metric is divided into:
 *
 *     "section(url.path)"                                    one for each value of a property
 *     {"expression": "duration > 500"}                       `true` and `false`
 *     [{"name": "slow", "where": "duration > 500"}, ...]     the first one whose expression is true
 */
export const metricSegment = z.union(
  [z.strictObject({ expression: expressionText }), namedSegments, propertyName],
  {
    error: `expected a property, an expression, or a list of at most ${MAX_NAMED_SEGMENTS} named expressions`,
  },
);
export type MetricSegment = z.infer<typeof metricSegment>;

/** The properties that a segment uses. */
export function propertiesOfSegment(segment: MetricSegment | undefined): readonly string[] {
  if (segment === undefined) return [];
  if (typeof segment === 'string') return [segment];
  const expressions = 'expression' in segment ? [segment.expression] : segment.map(({ where }) => where);
  return expressions.flatMap((each) => propertiesOf(parseGrouped(each)).map(({ name }) => name));
}
