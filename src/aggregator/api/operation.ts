import type { z } from 'zod';
import type { HttpAnswer, HttpMethod, HttpRequest } from '../../runtime/http/http-contract.ts';
import type { ApiStore } from './api-store.ts';
import type { LogTail } from './log-tail.ts';

/**
 * One thing that the API can do, as data: the same entry is the route, the check of the request, and the description in
 * the OpenAPI document.
 */
export interface Operation {
  /** For generated clients and for metrics. */
  readonly id: string;
  readonly method: HttpMethod;
  /** `{id}` in it is the identifier of a metric or an alert. */
  readonly path: string;
  readonly tag: 'logs' | 'metrics' | 'alerts' | 'description';
  readonly summary: string;
  readonly description?: string;
  /** Of what stands behind the `?`; absent: nothing may. */
  readonly query?: z.ZodType;
  /** Of a JSON body; absent: none is read. */
  readonly body?: z.ZodType;
  readonly status: 200 | 201 | 204;
  /** Of the JSON that is answered; 'events': server-sent events; absent: nothing. */
  readonly answer?: z.ZodType | 'events';
  /** What may go wrong besides what may with all. */
  readonly errors?: readonly (409 | 422)[];
  run(context: OperationContext, input: OperationInput<unknown, unknown>): Promise<unknown>;
}

export interface OperationContext {
  /** Throws HttpError when there is none to ask. */
  readonly store: () => ApiStore;
  readonly tail: LogTail;
  /** The OpenAPI document. */
  readonly document: object;
}

/** All of it checked. */
export interface OperationInput<Query, Body> {
  /** Empty when there is none in the path. */
  readonly id: string;
  readonly query: Query;
  readonly body: Body;
  readonly request: HttpRequest;
}

interface TypedOperation<Query, Body, Answer> extends Omit<Operation, 'query' | 'body' | 'answer' | 'run'> {
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  readonly answer?: z.ZodType<Answer>;
  run(context: OperationContext, input: OperationInput<Query, Body>): Promise<Answer>;
}

/** Lets the compiler hold `run` against the schemas. */
export function operation<Query, Body, Answer = void>(typed: TypedOperation<Query, Body, Answer>): Operation {
  return typed;
}

interface EventsOperation<Query> extends Omit<TypedOperation<Query, unknown, HttpAnswer>, 'answer'> {
  readonly answer: 'events';
}

export function eventsOperation<Query>(typed: EventsOperation<Query>): Operation {
  return typed;
}
