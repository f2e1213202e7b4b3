import type { z } from 'zod';
import { splitCondition } from '../../logstore/logs/split-condition.ts';
import { PropertyError } from '../../logstore/property-brackets.ts';
import type { HttpProblem } from '../../runtime/http/http-error.ts';
import { requestSchema } from './request-schema.ts';

/**
 * The parameters of a query as the value that its schema checks: texts that must be numbers become numbers, and
 * `where=property=value`, the one parameter that may be given more than once, becomes a list. What does not fit stays as
 * it is, for the schema to complain about.
 */
export function queryValue(
  schema: z.ZodType,
  parameters: ReadonlyMap<string, readonly string[]>,
): { readonly value: unknown; readonly problems: readonly HttpProblem[] } {
  const { properties = {} } = requestSchema(schema);
  // Without a prototype: a parameter may have any name.
  const value = Object.create(null) as Record<string, unknown>;
  const problems: HttpProblem[] = [];
  for (const [name, texts] of parameters) {
    const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
    if (type === 'array') {
      value[name] = texts.map(condition);
    } else {
      const [text = ''] = texts;
      value[name] = type === 'integer' && WHOLE_NUMBER.test(text) ? Number(text) : text;
      if (texts.length > 1) problems.push({ path: name, message: 'expected once, found more than once' });
    }
  }
  return { value, problems };
}

const WHOLE_NUMBER = /^-?(?:0|[1-9][0-9]{0,15})$/;

function condition(text: string): unknown {
  try {
    return splitCondition(text) ?? { property: text };
  } catch (error) {
    // The schema reports what is wrong with the name.
    if (error instanceof PropertyError) return { property: text, value: '' };
    throw error;
  }
}
