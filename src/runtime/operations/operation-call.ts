import type { HttpCall } from '../http/http-call.ts';
import type { Operation, TypedOperation } from './operation.ts';
import { OperationError } from './operation-error.ts';

type Given<Name extends string, Value> = Value extends undefined
  ? { readonly [Key in Name]?: undefined }
  : { readonly [Key in Name]: Value };

interface AnyInput {
  readonly parameters?: object | undefined;
  readonly query?: object | undefined;
  readonly body?: unknown;
}

type Sent = Pick<Operation<never>, 'method' | 'path'> & { readonly answer?: Operation<never>['answer'] };

/** The request of a client for an operation. */
export function operationCall(
  { method, path }: Sent,
  { parameters = {}, query = {}, body }: AnyInput,
): HttpCall {
  const texts = new Map(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
  const place = path.replace(/\{([^}]+)\}/g, (_braces, name: string) => {
    const text = texts.get(name);
    // A path with an empty segment leads to another operation, or to none.
    if (text === undefined || text === '')
      throw new OperationError(400, 'invalid-request', `${name}: must not be empty`);
    return encodeURIComponent(text);
  });
  const search = queryText(query);
  return {
    method,
    path: search === '' ? place : `${place}?${search}`,
    body: body === undefined ? undefined : JSON.stringify(body),
  };
}

/** The input of an operation, as its client gives it. */
export type CallInput<Typed> =
  Typed extends TypedOperation<infer _Context, infer Parameters, infer Query, infer Body, infer _Answer>
    ? Given<'parameters', Parameters> & Given<'query', Query> & Given<'body', Body>
    : never;

/** The answer of an operation. */
export type CallAnswer<Typed> =
  Typed extends TypedOperation<infer _Context, infer _Parameters, infer _Query, infer _Body, infer Answer>
    ? Answer
    : never;

function queryText(query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, unknown][]) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value])
      parameters.append(name, String(each));
  }
  return parameters.toString();
}
