import type { HttpAnswer, HttpRequest } from '../../../runtime/http/http-contract.ts';
import { HttpError } from '../../../runtime/http/http-error.ts';
import { type Operation, operation, streamedOperation } from '../../../runtime/operations/operation.ts';
import { type TapPoints, type TapQuery, tapPoints, tapQuery } from '../../../tap/tap-request.ts';

/** The means of the operations on taps. */
export interface TapContext {
  /** Absent: no aggregator runs, so no record passes. */
  readonly taps?: () => TapSource | undefined;
}

interface TapSource {
  readonly points: TapPoints;
  open(query: TapQuery, request: HttpRequest): Promise<HttpAnswer>;
}

export const listTapPoints = operation({
  id: 'listTapPoints',
  method: 'GET',
  path: '/v1/tap/points',
  tag: 'queue',
  summary: 'List the points at which records can be tapped.',
  status: 200,
  answer: tapPoints,
  run: async (context: TapContext) => sourceOf(context).points,
});

export const tapRecords = streamedOperation({
  id: 'tapRecords',
  method: 'GET',
  path: '/v1/tap',
  tag: 'queue',
  summary: 'Follow the records that pass a point: the intake, or an emitter.',
  description:
    'Server-sent events: `record` has a record, `skipped` the number of all records that were not shown until now, and `end` the reason of the end. ' +
    'A tap never delays the records: those for which it has no time or no room are only counted.',
  access: 'token',
  query: tapQuery,
  status: 200,
  answer: 'events',
  errors: [429],
  run: async (context: TapContext, { query, request }) => await sourceOf(context).open(query, request),
});

/** The records on their way. */
export const TAP_OPERATIONS: readonly Operation<TapContext>[] = [listTapPoints, tapRecords];

function sourceOf({ taps }: TapContext): TapSource {
  const found = taps?.();
  if (found === undefined)
    throw new HttpError(503, 'unavailable', 'Cannot tap records: the aggregator is not running yet.');
  return found;
}
