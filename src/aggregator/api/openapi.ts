import { z } from 'zod';
import { isAllowed } from '../../runtime/operations/access.ts';
import type { Operation } from '../../runtime/operations/operation.ts';
import { requestSchema } from '../../runtime/operations/request-schema.ts';
import { type Components, errorBody, openApiComponents } from './openapi-components.ts';

/** The version of the API, not of the program: it changes when the contract with clients changes. */
const API_VERSION = '1.1.0';

const DESCRIPTION = [
  'Logs, metrics and alerts in the store of an aggregator, and the state of its queue.',
  'Times are RFC 3339 in UTC. Where a request has a time, a duration (`15m`) means that long ago.',
  'Without a token at the aggregator (`AGGREGATOR_HTTP_TOKEN`) only its own machine has access; with a token, every client that sends it, and every browser that has signed in with it.',
].join(' ');

type Described = Operation<never>;

/**
 * The OpenAPI 3.1 description, made from the schemas that check the requests. It describes the HTTP address:
 * operations for the owner, which are accepted only over the Unix socket, are left out.
 */
export function openApiDocument(all: readonly Described[]): object {
  const operations = all.filter(({ access = 'machine' }) => isAllowed(access, 'token'));
  const components = openApiComponents(operations);
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    Object.assign(paths[operation.path] ?? {}, {
      [operation.method.toLowerCase()]: operationObject(operation, components),
    });
  }
  return {
    openapi: '3.1.0',
    info: { title: 'mega-collector aggregator', version: API_VERSION, description: DESCRIPTION },
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operationObject(operation: Described, components: Components): object {
  const { id, tag, summary, description, body, access } = operation;
  const parameters = [...pathParameters(operation, components), ...queryParameters(operation)];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(access === 'token' && { security: [{ token: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: jsonContent(body, components) } }),
    responses: responses(operation, components),
  };
}

function pathParameters({ parameters }: Described, components: Components): readonly object[] {
  if (!(parameters instanceof z.ZodObject)) return [];
  return Object.entries(parameters.shape).map(([name, of]) => {
    const { description, $schema: _dialect, ...schema } = requestSchema(of);
    const reference = components.reference(of);
    return {
      name,
      in: 'path',
      required: true,
      ...(reference === undefined && description !== undefined && { description }),
      schema: reference ?? schema,
    };
  });
}

function queryParameters({ query, answer }: Described): readonly object[] {
  const { properties = {}, required = [] } = query === undefined ? {} : requestSchema(query);
  const parameters = Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(schema.type === 'array' ? CONDITIONS : { ...(description !== undefined && { description }), schema }),
  }));
  return answer === 'events' ? [...parameters, LAST_EVENT_ID] : parameters;
}

/** A list of conditions in a query. */
const CONDITIONS = {
  description:
    'property=value: the property has this value. Or an expression: `status_code >= 500`. If it is repeated, all conditions must hold.',
  style: 'form',
  explode: true,
  schema: {
    type: 'array',
    maxItems: 16,
    items: { type: 'string', examples: ['status_code=500', 'status_code >= 500'] },
  },
};

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'The last id that the client received: the stream continues after it.',
  schema: { type: 'string' },
};

function responses({ status, answer, body, errors = [] }: Described, components: Components): object {
  const ofBody = body === undefined ? [] : [413, 415];
  const codes = [400, 401, 403, 404, 500, 503, 504, ...ofBody, ...errors];
  const content = jsonContent(errorBody, components);
  return {
    [status]: success(answer, components),
    ...Object.fromEntries(codes.map((code) => [code, { description: ERRORS.get(code), content }])),
  };
}

function success(answer: Described['answer'], components: Components): object {
  if (answer === undefined) return { description: 'Success.' };
  if (answer !== 'events') return { description: 'Success.', content: jsonContent(answer, components) };
  return {
    description: 'A stream without an end.',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  };
}

function jsonContent(schema: z.ZodType, components: Components): object {
  return { 'application/json': { schema: components.reference(schema) } };
}

const ERRORS: ReadonlyMap<number, string> = new Map([
  [400, 'The request is invalid; `problems` lists the reasons.'],
  [401, 'The token is missing or wrong.'],
  [403, 'Without a token, only the machine of the aggregator has access; some requests need a token.'],
  [404, 'It does not exist, or the aggregator has no store.'],
  [409, 'It exists already, or it is in use.'],
  [413, 'The body is too large.'],
  [415, 'The body is not JSON in UTF-8.'],
  [422, 'The request is well-formed, but cannot work.'],
  [429, 'Too many attempts at the same time.'],
  [500, 'An internal error of the aggregator.'],
  [503, 'The store or the queue is not available, or too many queries are waiting.'],
  [504, 'The store did not answer in time.'],
]);
