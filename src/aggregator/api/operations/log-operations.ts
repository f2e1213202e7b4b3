import { PropertyError } from '../../../expressions/property-brackets.ts';
import {
  histogram,
  histogramRequest,
  searchPage,
  searchRequest,
  tailRequest,
  valueCounts,
  valuesRequest,
} from '../../../logstore/logs/log-requests.ts';
import { readCondition } from '../../../logstore/logs/read-condition.ts';
import { eventsOperation, type Operation, operation } from '../../../runtime/operations/operation.ts';
import type { StoreContext } from './store-context.ts';

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
  eventsOperation({
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
