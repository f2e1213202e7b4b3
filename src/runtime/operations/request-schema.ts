import { z } from 'zod';

/** The schema of a request as a JSON schema. */
export function requestSchema(schema: z.ZodType): JsonSchema {
  let found = known.get(schema);
  if (found === undefined) {
    found = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
    known.set(schema, found);
  }
  return found;
}

/** The part of a JSON schema that is used here. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

const known = new WeakMap<z.ZodType, JsonSchema>();

/** The keys that a request may have at a path: `['where', 0]`. */
export function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let found: JsonSchema | undefined = requestSchema(schema);
  for (const key of path) {
    found = typeof key === 'number' ? found?.items : ownProperty(found?.properties, String(key));
  }
  return Object.keys(found?.properties ?? {});
}

function ownProperty(properties: JsonSchema['properties'], key: string): JsonSchema | undefined {
  return properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
}
