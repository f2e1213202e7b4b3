import { z } from 'zod';
import { type LogEntry, logEntry, recordPath, recordQuery } from '../../../logstore/logs/log-requests.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import { HttpError } from '../../../runtime/http/http-error.ts';
import { type Access, isAllowed } from '../../../runtime/operations/access.ts';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import { explainRecord } from '../explain-record.ts';
import { plainStream } from './plain-stream.ts';
import type { QueueContext } from './queue-context.ts';
import type { StoreContext } from './store-context.ts';

/** The means of the operations on a record. */
export interface RecordContext extends StoreContext, Pick<QueueContext, 'queue' | 'filterStatuses'> {
  /** The proof of the client. */
  readonly proven: Access;
}

export const getLog = operation({
  id: 'getLog',
  method: 'GET',
  path: '/v1/logs/{stream}/{position}',
  tag: 'logs',
  summary: 'Get a log by its position in its stream: parsed, as received, and why it is parsed so.',
  parameters: recordPath,
  query: recordQuery,
  status: 200,
  answer: z.object({
    entry: logEntry,
    raw: z
      .base64()
      .nullable()
      .meta({ description: 'The bytes as received, with their line ending, if the queue still has them.' }),
    rawNote: z
      .string()
      .meta({ description: 'For people: the reason why `raw` is null, or where it is from.' }),
    format: z.string(),
    explanation: z.array(z.string()).meta({ description: 'For people: why the record is parsed so.' }),
  }),
  run: async (context: RecordContext, { parameters, query }) => {
    const place = { stream: plainStream(parameters.stream), position: Number(parameters.position) };
    const entry = await context.store().search.record({ ...place, ...query });
    if (entry === undefined) throw notFound(place);
    const { raw, rawNote } = await rawOf(context, entry);
    const filters = filtersOf(context);
    return { entry, raw, rawNote, format: entry.format, explanation: explainRecord(entry, filters) };
  },
});

/** A record and everything that is known of it. */
export const RECORD_OPERATIONS: readonly Operation<RecordContext>[] = [getLog];

function notFound({ stream, position }: { readonly stream: string; readonly position: number }): HttpError {
  return new HttpError(
    404,
    'not-found',
    `Cannot find the record at position ${position} of the stream ${stream}: the store does not have it.`,
  );
}

/** The names of the filters in use. */
function filtersOf({ filterStatuses }: RecordContext): readonly string[] {
  const names = (filterStatuses?.() ?? []).flatMap(({ filter }) => (filter === null ? [] : [filter]));
  return [...new Set(names)];
}

/**
 * The bytes of the record in the queue, which keeps them only until all emitters have delivered them. A filter may
 * have removed a part of the record on the way to the store: then the bytes need the same proof as records that are
 * in no store.
 */
async function rawOf(
  context: RecordContext,
  { stream, position }: LogEntry,
): Promise<{ readonly raw: string | null; readonly rawNote: string }> {
  if (filtersOf(context).length > 0 && !isAllowed('token', context.proven))
    return { raw: null, rawNote: NEEDS_TOKEN };
  try {
    const found = await context.queue().findRecord(stream as StreamId, position);
    if (found === undefined) return { raw: null, rawNote: NOT_QUEUED };
    return { raw: Buffer.from(found.data).toString('base64'), rawNote: IN_QUEUE };
  } catch (error) {
    if (error instanceof HttpError) return { raw: null, rawNote: error.message };
    throw error;
  }
}

const IN_QUEUE = 'The bytes as the collector sent them: the queue still has them.';
const NOT_QUEUED =
  'The queue does not have these bytes any more: it keeps them only until all emitters have delivered them. The store has the parsed record.';
const NEEDS_TOKEN =
  'A filter is in use, which may have removed a part of the record, so the bytes need a token: set AGGREGATOR_HTTP_TOKEN at the aggregator.';
