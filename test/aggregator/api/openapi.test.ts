import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { openApiDocument } from '../../../src/aggregator/api/openapi.ts';
import { NETWORK_OPERATIONS } from '../../../src/aggregator/api/operations/operations.ts';
import { servedApi } from './served-api.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: object;
}
interface Described {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly security?: readonly object[];
  readonly requestBody?: { readonly content: object };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
}
interface Document {
  readonly openapi: string;
  readonly info: object;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

// As clients get it.
const document = JSON.parse(JSON.stringify(openApiDocument(NETWORK_OPERATIONS))) as Document;

/** Every value under this key, at any depth. */
function* valuesOf(key: string, value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, each] of Object.entries(value)) {
    if (name === key) yield each;
    yield* valuesOf(key, each);
  }
}

function resolve(reference: string): unknown {
  const [root, ...path] = reference.split('/');
  expect(root).toBe('#');
  return path.reduce<unknown>(
    (found, key) => (found as Record<string, unknown> | undefined)?.[key],
    document,
  );
}

test('the description is served with its media type', async () => {
  const { ask } = await servedApi();
  expect((await ask('/v1/openapi.json')).body).toEqual(document);
  expect(document.openapi).toBe('3.1.0');
  expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
});

test('the description satisfies the schema of OpenAPI 3.1', async () => {
  expect(await new Validator().validate(document as never)).toEqual({ valid: true });
  const withoutInfo = await new Validator().validate({ ...document, info: undefined } as never);
  expect(withoutInfo.valid).toBe(false);
});

test('every reference has a target, and every component is referenced', () => {
  const references = new Set([...valuesOf('$ref', document)] as string[]);
  for (const reference of references) expect(resolve(reference), reference).toBeTypeOf('object');
  const named = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
  expect(named.filter((name) => !references.has(name))).toEqual([]);
});

test('every schema is valid OpenAPI and not empty', () => {
  for (const key of ['$schema', '$id', '$defs']) expect([...valuesOf(key, document)]).toEqual([]);
  expect(JSON.stringify(document)).not.toContain('9007199254740991');
  for (const schema of Object.values(document.components.schemas)) {
    expect(Object.keys(schema)).not.toEqual([]);
  }
});

const PUBLIC = NETWORK_OPERATIONS.filter(({ access }) => access !== 'owner');

describe('every operation', () => {
  test.each(PUBLIC.map((operation) => [operation.id, operation] as const))(
    '%s is described',
    (id, { method, path, status, body, answer }) => {
      const described = document.paths[path]?.[method.toLowerCase()];
      if (described === undefined) throw new Error('not described');
      expect(described.operationId).toBe(id);
      expect(described.summary).toMatch(/\.$/);
      expect(described.requestBody !== undefined).toBe(body !== undefined);
      expect(described.responses[status]?.content !== undefined).toBe(answer !== undefined);
      for (const [code, response] of Object.entries(described.responses)) {
        expect(response.description, code).not.toBe('');
        expect(code).toMatch(/^[245]\d\d$/);
      }
      const inPath = (described.parameters ?? []).filter(({ in: place }) => place === 'path');
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{[^}]+\}/g) ?? []);
      expect(inPath.every(({ required }) => required)).toBe(true);
    },
  );

  test('and no other operation is described', () => {
    const described = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(described).toHaveLength(PUBLIC.length);
  });

  test('for the owner is left out: the HTTP address does not accept it', () => {
    const forOwner = NETWORK_OPERATIONS.filter(({ access }) => access === 'owner').map(({ id }) => id);
    expect(forOwner).toEqual(['forgetEmitter', 'skipEntry']);
    for (const id of forOwner) expect(JSON.stringify(document)).not.toContain(id);
  });

  test('that needs a token is described with it', () => {
    for (const { access = 'machine', path, method } of PUBLIC) {
      const security = document.paths[path]?.[method.toLowerCase()]?.security;
      expect(security, path).toEqual(access === 'token' ? [{ token: [] }] : undefined);
    }
  });
});

test('the described parameters of a query are the accepted ones', async () => {
  const { ask, store } = await servedApi();
  const parameters = document.paths['/v1/logs']?.get?.parameters ?? [];
  const examples: Record<string, string> = {
    from: '2h',
    to: '1h',
    severity: 'info',
    where: 'status_code=500',
    limit: '3',
  };
  const query = parameters.map(({ name }) => `${name}=${examples[name] ?? 'x'}`).join('&');
  expect((await ask(`/v1/logs?${query}`)).status).toBe(200);
  const [, request] = store.asked[0] ?? [];
  expect(Object.keys(request as object).sort()).toEqual(parameters.map(({ name }) => name).sort());
});

test('docs/openapi.json is fresh', async () => {
  const file = new URL('../../../docs/openapi.json', import.meta.url);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(document);
});
