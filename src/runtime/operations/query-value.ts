import type { z } from 'zod';
import type { HttpProblem } from '../http/http-error.ts';
import { type JsonSchema, requestSchema } from './request-schema.ts';

/**
 * Converts the texts of a query to the value that its schema checks: numbers and booleans where the schema has
 * them, and a list for a parameter that may be repeated. A text that does not fit stays as it is: the schema
 * reports it.
 */
export function queryValue(
  schema: z.ZodType,
  parameters: ReadonlyMap<string, readonly string[]>,
  readListItem: (text: string) => unknown = (text) => text,
): { readonly value: unknown; readonly problems: readonly HttpProblem[] } {
  const { properties = {} } = requestSchema(schema);
  // Without a prototype: a parameter may have any name.
  const value = Object.create(null) as Record<string, unknown>;
  const problems: HttpProblem[] = [];
  for (const [name, texts] of parameters) {
    const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
    if (type === 'array') {
      value[name] = texts.map(readListItem);
    } else {
      value[name] = scalar(type, texts[0] ?? '');
      if (texts.length > 1) problems.push({ path: name, message: 'expected once, found more than once' });
    }
  }
  return { value, problems };
}

const WHOLE_NUMBER = /^-?(?:0|[1-9][0-9]{0,15})$/;

function scalar(type: JsonSchema['type'], text: string): unknown {
  if (type === 'integer' && WHOLE_NUMBER.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
