import type { Clock } from '../clock.ts';
import { errorMessage } from '../error-message.ts';
import type { HttpAnswer, HttpParameters, HttpRequest, HttpRoute } from '../http/http-contract.ts';
import { HttpError } from '../http/http-error.ts';
import { type Access, isAllowed } from './access.ts';
import type { Operation } from './operation.ts';
import type { OperationEvents } from './operation-events.ts';
import { operationInput } from './operation-input.ts';

export interface OperationRoutesOptions<Context> {
  readonly operations: readonly Operation<Context>[];
  readonly context: Context;
  /** The proof that each caller of this transport has given. */
  readonly proven: Access;
  readonly clock: Clock;
  readonly events: OperationEvents;
  /** Limits the operations that run at a time; absent: the number of connections is the limit. */
  readonly admit?: <T>(signal: AbortSignal, task: () => Promise<T>) => Promise<T>;
  /** Converts an error to an answer; undefined: it is unexpected. Absent: only HttpErrors are answers. */
  readonly errorOf?: (error: unknown) => HttpError | undefined;
}

/** The operations as routes of one transport. */
export function operationRoutes<Context>(options: OperationRoutesOptions<Context>): readonly HttpRoute[] {
  return options.operations.map((operation) => ({
    method: operation.method,
    path: operation.path,
    handle: (request, parameters) => answer(operation, options, request, parameters),
  }));
}

async function answer<Context>(
  operation: Operation<Context>,
  options: OperationRoutesOptions<Context>,
  request: HttpRequest,
  parameters: HttpParameters,
): Promise<HttpAnswer> {
  const { clock, events } = options;
  const startMs = clock.monotonicMs();
  const answered = (status: number) =>
    events.answered({ operation: operation.id, status, durationMs: clock.monotonicMs() - startMs });
  try {
    const done = await run(operation, options, request, parameters);
    answered(operation.status);
    return done;
  } catch (error) {
    const known = answerable(error, options) ?? unexpected(error, options);
    answered(known.status);
    if (known.status === 500) events.failed({ operation: operation.id, err: error });
    throw known;
  }
}

async function run<Context>(
  operation: Operation<Context>,
  { context, proven, admit = (_signal, task) => task() }: OperationRoutesOptions<Context>,
  request: HttpRequest,
  parameters: HttpParameters,
): Promise<HttpAnswer> {
  const { access = 'machine', status } = operation;
  if (!isAllowed(access, proven)) throw NOT_ALLOWED[access];
  // Before the admission: a client that sends its body slowly must not keep others waiting.
  const input = await operationInput(operation, request, parameters);
  const value = await admit(request.signal, () => operation.run(context, input));
  if (operation.answer === 'events') return value as HttpAnswer;
  const headers = operation.headers?.(value);
  const body = operation.answer === undefined ? '' : JSON.stringify(value);
  return { status, ...(headers !== undefined && { headers }), body };
}

function answerable<Context>(error: unknown, options: OperationRoutesOptions<Context>) {
  if (error instanceof HttpError) return error;
  return options.errorOf?.(error);
}

/** The owner may know the reason; to other callers it may be a secret. */
function unexpected<Context>(error: unknown, { proven }: OperationRoutesOptions<Context>): HttpError {
  const reason = errorMessage(error);
  const message =
    proven === 'owner' ? `Cannot answer the request: ${reason}` : 'Internal error: see the log.';
  return new HttpError(500, 'internal', message);
}

const NOT_ALLOWED: Readonly<Record<Access, HttpError>> = {
  machine: new HttpError(403, 'forbidden', 'This request is not allowed.'),
  token: new HttpError(
    403,
    'forbidden',
    'This request needs a token. Set AGGREGATOR_HTTP_TOKEN at the aggregator, and send "Authorization: Bearer TOKEN".',
  ),
  owner: new HttpError(
    403,
    'forbidden',
    'This request is accepted only over the Unix socket in the state directory. Run the mega-collector command on the machine of the process.',
  ),
};
