import { SqlError } from '../../logstore/sql/sql-database.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { HttpAnswer, HttpParameters, HttpRequest, HttpRoute } from '../../runtime/http/http-contract.ts';
import { HttpError } from '../../runtime/http/http-error.ts';
import type { Admission } from './admission.ts';
import { apiError } from './api-error.ts';
import type { ApiEvents } from './events.ts';
import type { Operation, OperationContext } from './operation.ts';
import { operationInput } from './operation-input.ts';

export interface ApiRoutesOptions {
  readonly operations: readonly Operation[];
  readonly context: OperationContext;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly events: ApiEvents;
}

/** The operations as routes. */
export function apiRoutes(options: ApiRoutesOptions): readonly HttpRoute[] {
  return options.operations.map((operation) => ({
    method: operation.method,
    path: operation.path,
    handle: (request, parameters) => answer(operation, options, request, parameters),
  }));
}

async function answer(
  operation: Operation,
  { context, admission, clock, events }: ApiRoutesOptions,
  request: HttpRequest,
  parameters: HttpParameters,
): Promise<HttpAnswer> {
  const startMs = clock.monotonicMs();
  const answered = (status: number) => events.answered(operation.id, status, clock.monotonicMs() - startMs);
  try {
    // A body is read before a place is taken: who sends it slowly holds up nobody.
    const input = await operationInput(operation, request, parameters);
    const value = await admission.run(request.signal, () => operation.run(context, input));
    answered(operation.status);
    if (operation.answer === 'events') return value as HttpAnswer;
    return { status: operation.status, body: operation.answer === undefined ? '' : JSON.stringify(value) };
  } catch (error) {
    const known = apiError(error);
    answered(known?.status ?? 500);
    if (known !== undefined && !isOurFault(error)) throw known;
    events.failed(operation.id, error);
    throw known ?? new HttpError(500, 'internal', 'The request could not be answered.');
  }
}

function isOurFault(error: unknown): boolean {
  return error instanceof SqlError && error.kind === 'statement';
}
