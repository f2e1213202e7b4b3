import { z } from 'zod';

/** As much of a JSON schema as is looked at here. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

/** What a request may be, as data. */
export function requestSchema(schema: z.ZodType): JsonSchema {
  let found = known.get(schema);
  if (found === undefined) {
    found = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
    known.set(schema, found);
  }
  return found;
}

const known = new WeakMap<z.ZodType, JsonSchema>();

/** The keys that may stand in a request at a path: `['where', 0]`. */
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
