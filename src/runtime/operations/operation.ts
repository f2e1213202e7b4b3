import type { z } from 'zod';
import type { HttpAnswer, HttpMethod, HttpRequest } from '../http/http-contract.ts';
import type { Access } from './access.ts';

/**
 * One request that a process answers, as data. The same entry is the route of both transports (the HTTP
 * address and the Unix socket), the check of the request, the description in the OpenAPI document, and the
 * client's knowledge of how to send it.
 */
export interface Operation<Context> {
  /** For generated clients and for metrics. */
  readonly id: string;
  readonly method: HttpMethod;
  /** `/v1/metrics/{id}`: names in braces are the keys of `parameters`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Absent: `machine`. */
  readonly access?: Access;
  /** Of the texts in the path; absent: there are none. */
  readonly parameters?: z.ZodType;
  /** Of the part after the `?`; absent: must be empty. */
  readonly query?: z.ZodType;
  /** Reads one text of a list in the query; absent: the text is the value. */
  readonly readListItem?: (text: string) => unknown;
  /** Of a JSON body; absent: no body is read. */
  readonly body?: z.ZodType;
  readonly status: 200 | 201 | 204;
  /** Of the JSON answer; 'events': server-sent events; 'download': a stream as a file; absent: no content. */
  readonly answer?: z.ZodType | StreamedAnswer;
  /** Headers of the answer, from the result of `run`. */
  headers?(result: unknown): Readonly<Record<string, string>>;
  /** Errors besides those that every operation may return. */
  readonly errors?: readonly (409 | 422 | 429)[];
  run(context: Context, input: OperationInput<unknown, unknown, unknown>): Promise<unknown>;
}

export type StreamedAnswer = 'events' | 'download';

/** Checked. */
export interface OperationInput<Parameters, Query, Body> {
  readonly parameters: Parameters;
  readonly query: Query;
  readonly body: Body;
  readonly request: HttpRequest;
}

/** An operation whose input and answer the compiler knows: `run` must match the schemas. */
export interface TypedOperation<Context, Parameters, Query, Body, Answer>
  extends Omit<Operation<Context>, 'parameters' | 'query' | 'body' | 'answer' | 'headers' | 'run'> {
  readonly parameters?: z.ZodType<Parameters>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  readonly answer?: z.ZodType<Answer>;
  headers?(result: Answer): Readonly<Record<string, string>>;
  run(context: Context, input: OperationInput<Parameters, Query, Body>): Promise<Answer>;
}

/** For functions over operations: see `CallInput` and `CallAnswer`. */
// biome-ignore lint/suspicious/noExplicitAny: only the caller's type is used, and any other bound would not accept it.
export type AnyTypedOperation = TypedOperation<any, any, any, any, any>;

/** Lets the compiler infer the types from the schemas. */
export function operation<
  Context,
  Parameters = undefined,
  Query = undefined,
  Body = undefined,
  Answer = void,
>(
  typed: TypedOperation<Context, Parameters, Query, Body, Answer>,
): TypedOperation<Context, Parameters, Query, Body, Answer> {
  return typed;
}

export interface StreamedOperation<Context, Query>
  extends Omit<TypedOperation<Context, undefined, Query, undefined, HttpAnswer>, 'answer' | 'headers'> {
  readonly answer: StreamedAnswer;
}

/** An operation that answers with a stream: server-sent events, or a download. */
export function streamedOperation<Context, Query>(
  typed: StreamedOperation<Context, Query>,
): StreamedOperation<Context, Query> {
  return typed;
}
