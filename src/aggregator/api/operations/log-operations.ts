import { PropertyError } from '../../../expressions/property-brackets.ts';
import {
  contextRequest,
  fieldsReport,
  fieldsRequest,
  histogram,
  histogramRequest,
  logContext,
  searchPage,
  searchRequest,
  tailRequest,
  valueCounts,
  valuesRequest,
} from '../../../logstore/logs/log-requests.ts';
import { readCondition } from '../../../logstore/logs/read-condition.ts';
import { type Operation, operation, streamedOperation } from '../../../runtime/operations/operation.ts';
import { exportRequest } from '../export-format.ts';
import { plainStream } from './plain-stream.ts';
import type { StoreContext } from './store-context.ts';

const EXPORT_DESCRIPTION =
  'A stream. An export that is broken off ends with a marker: in ndjson the line `{"error": {"code": ..., ' +
  '"message": ...}}`, in csv a row and in text a line that begins with `#error`. Without `limit`, an export ' +
  'ends after 100,000 records, with a marker of the code `limit` if there are more. In csv, a cell that a ' +
  "spreadsheet would compute (it begins with `=`, `+`, `-`, `@`, TAB or CR) has a `'` before it; ndjson has " +
  'the texts as they are.';

/** Search in the store. */
export const LOG_OPERATIONS: readonly Operation<StoreContext>[] = [
  operation({
    id: 'searchLogs',
    method: 'GET',
    path: '/v1/logs',
    tag: 'logs',
    summary: 'Search logs, newest first, page by page.',
    query: searchRequest,
    readListItem: readWhere,
    status: 200,
    answer: searchPage,
    run: ({ store }: StoreContext, { query }) => store().search.search(query),
  }),
  operation({
    id: 'countLogs',
    method: 'GET',
    path: '/v1/logs/histogram',
    tag: 'logs',
    summary: 'Count logs over time.',
    query: histogramRequest,
    readListItem: readWhere,
    status: 200,
    answer: histogram,
    run: ({ store }: StoreContext, { query }) => store().search.histogram(query),
  }),
  operation({
    id: 'countValues',
    method: 'GET',
    path: '/v1/logs/values',
    tag: 'logs',
    summary: 'Count the values of a property.',
    query: valuesRequest,
    readListItem: readWhere,
    status: 200,
    answer: valueCounts,
    run: ({ store }: StoreContext, { query }) => store().search.values(query),
  }),
  operation({
    id: 'listFields',
    method: 'GET',
    path: '/v1/fields',
    tag: 'logs',
    summary: 'List the fields of the newest matching logs, and their most frequent values.',
    description:
      'Counted in a sample of the newest records. The times, the positions and the bodies are left out: every record has them.',
    query: fieldsRequest,
    readListItem: readWhere,
    status: 200,
    answer: fieldsReport,
    run: ({ store }: StoreContext, { query }) => store().search.fields(query),
  }),
  operation({
    id: 'listContext',
    method: 'GET',
    path: '/v1/logs/context',
    tag: 'logs',
    summary: 'List the logs before and after a log in its stream, by position.',
    query: contextRequest,
    readListItem: readWhere,
    status: 200,
    answer: logContext,
    run: ({ store }: StoreContext, { query }) =>
      store().search.context({ ...query, stream: plainStream(query.stream) }),
  }),
  streamedOperation({
    id: 'exportLogs',
    method: 'GET',
    path: '/v1/logs/export',
    tag: 'logs',
    summary: 'Export logs as a file, newest first.',
    description: EXPORT_DESCRIPTION,
    query: exportRequest,
    readListItem: readWhere,
    status: 200,
    answer: 'download',
    run: ({ store, exports }: StoreContext, { query, request }) =>
      exports.open(store().search, query, request),
  }),
  streamedOperation({
    id: 'tailLogs',
    method: 'GET',
    path: '/v1/logs/tail',
    tag: 'logs',
    summary: 'Follow logs as they are stored.',
    description:
      'Server-sent events. `log`: the data is a LogEntry. `skipped`: the data is `{"count": 12}`, the number of ' +
      'entries that were left out because more came than could be sent. A client that reconnects sends the last `id` ' +
      'as `Last-Event-ID` and receives the entries stored since then. It may receive entries after that `id` again; ' +
      'they have the same stream and position. An event with only an `id` moves the place.',
    query: tailRequest,
    readListItem: readWhere,
    status: 200,
    answer: 'events',
    run: ({ store, tail }: StoreContext, { query, request }) => tail.open(store().search, query, request),
  }),
];

/** Reads `property=value`, or an expression, of a query. */
function readWhere(text: string): unknown {
  try {
    return readCondition(text) ?? { expression: text };
  } catch (error) {
    // The schema reports the problem of the name.
    if (error instanceof PropertyError) return { property: text, value: '' };
    throw error;
  }
}
