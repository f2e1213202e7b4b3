import type { z } from 'zod';
import { identifier } from '../../monitoring/metric-definition.ts';
import { type Components, errorBody, openApiComponents } from './openapi-components.ts';
import type { Operation } from './operation.ts';
import { requestSchema } from './request-schema.ts';

/** Of the API, not of the program: it changes when what clients may rely on does. */
const API_VERSION = '1.0.0';

const DESCRIPTION = [
  'Logs, metrics and alerts of an aggregator, as its store has them.',
  'Times are RFC 3339 in UTC. Where a time is asked for, a duration (`15m`) means so long ago.',
  'Without a token at the aggregator (`AGGREGATOR_HTTP_TOKEN`) only its own machine may ask; with one, whoever sends it.',
].join(' ');

/** The OpenAPI 3.1 description of the operations, made from the schemas that check them. */
export function openApiDocument(operations: readonly Operation[]): object {
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

function operationObject(operation: Operation, components: Components): object {
  const { id, tag, summary, description, body } = operation;
  const parameters = [...pathParameters(operation, components), ...queryParameters(operation)];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: jsonContent(body, components) } }),
    responses: responses(operation, components),
  };
}

function pathParameters({ path }: Operation, components: Components): readonly object[] {
  if (!path.includes('{id}')) return [];
  return [{ name: 'id', in: 'path', required: true, schema: components.reference(identifier) }];
}

function queryParameters({ query, answer }: Operation): readonly object[] {
  const { properties = {}, required = [] } = query === undefined ? {} : requestSchema(query);
  const parameters = Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(schema.type === 'array' ? CONDITIONS : { ...(description !== undefined && { description }), schema }),
  }));
  return answer === 'events' ? [...parameters, LAST_EVENT_ID] : parameters;
}

/** A list of conditions, as a query writes it. */
const CONDITIONS = {
  description: 'property=value: the property has this value. May be given again: all must hold.',
  style: 'form',
  explode: true,
  schema: {
    type: 'array',
    maxItems: 16,
    items: { type: 'string', pattern: '^[^=]+=', examples: ['status_code=500'] },
  },
};

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'The last id that was received: go on from there.',
  schema: { type: 'string' },
};

function responses({ status, answer, body, errors = [] }: Operation, components: Components): object {
  const ofBody = body === undefined ? [] : [413, 415];
  const codes = [400, 401, 403, 404, 500, 503, 504, ...ofBody, ...errors];
  const content = jsonContent(errorBody, components);
  return {
    [status]: success(answer, components),
    ...Object.fromEntries(codes.map((code) => [code, { description: ERRORS.get(code), content }])),
  };
}

function success(answer: Operation['answer'], components: Components): object {
  if (answer === undefined) return { description: 'Done.' };
  if (answer !== 'events') return { description: 'Done.', content: jsonContent(answer, components) };
  return {
    description: 'A stream that does not end by itself.',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  };
}

function jsonContent(schema: z.ZodType, components: Components): object {
  return { 'application/json': { schema: components.reference(schema) } };
}

const ERRORS: ReadonlyMap<number, string> = new Map([
  [400, 'Something is wrong with the request; `problems` says what, part by part.'],
  [401, 'The token is missing, or not the right one.'],
  [403, 'Without a token nobody else than this machine may ask.'],
  [404, 'There is none with this id, or no store to ask.'],
  [409, 'It is there already, or it is needed.'],
  [413, 'The body is too large.'],
  [415, 'The body is not JSON in UTF-8.'],
  [422, 'It is well-formed, but cannot work.'],
  [500, 'A fault of the aggregator.'],
  [503, 'The store cannot be reached, or has too much to do.'],
  [504, 'The store took too long.'],
]);
