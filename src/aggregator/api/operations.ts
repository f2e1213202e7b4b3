import { z } from 'zod';
import {
  histogram,
  histogramRequest,
  searchPage,
  searchRequest,
  tailRequest,
  valueCounts,
  valuesRequest,
} from '../../logstore/logs/log-requests.ts';
import { alertDefinition, alertEvent, alertReport, alertStatus } from '../../monitoring/alert-definition.ts';
import {
  metricDefinition,
  metricPoint,
  metricReport,
  pointsRequest,
} from '../../monitoring/metric-definition.ts';
import { propertiesOf } from '../../monitoring/metric-sql.ts';
import { eventsOperation, type Operation, operation } from './operation.ts';

const historyRequest = z.strictObject({
  limit: z.int().min(1).max(1000).default(100).meta({ description: 'The newest changes.' }),
});

const createdDefaults = z.object({
  created: z.array(z.string()),
  existing: z.array(z.string()).meta({ description: 'What was there already, and stays as it is.' }),
});

const logs: readonly Operation[] = [
  operation({
    id: 'searchLogs',
    method: 'GET',
    path: '/v1/logs',
    tag: 'logs',
    summary: 'Search logs, newest first, page by page.',
    query: searchRequest,
    status: 200,
    answer: searchPage,
    run: ({ store }, { query }) => store().search.search(query),
  }),
  operation({
    id: 'countLogs',
    method: 'GET',
    path: '/v1/logs/histogram',
    tag: 'logs',
    summary: 'Count logs over time.',
    query: histogramRequest,
    status: 200,
    answer: histogram,
    run: ({ store }, { query }) => store().search.histogram(query),
  }),
  operation({
    id: 'countValues',
    method: 'GET',
    path: '/v1/logs/values',
    tag: 'logs',
    summary: 'The values of a property, and how often each occurs.',
    query: valuesRequest,
    status: 200,
    answer: valueCounts,
    run: ({ store }, { query }) => store().search.values(query),
  }),
  eventsOperation({
    id: 'tailLogs',
    method: 'GET',
    path: '/v1/logs/tail',
    tag: 'logs',
    summary: 'Follow logs as they are stored.',
    description:
      'Server-sent events. `log`: the data is a LogEntry. `skipped`: the data is `{"count": 12}`, so many were left ' +
      'out because more came than could be sent. An `id` stands where one may go on: who sends it back as ' +
      '`Last-Event-ID` gets what was stored since; what was received after the last `id` comes again then, and is ' +
      'known by its stream and position. An event with nothing but an `id` only moves the place.',
    query: tailRequest,
    status: 200,
    answer: 'events',
    run: ({ store, tail }, { query, request }) => tail.open(store().search, query, request),
  }),
];

const metrics: readonly Operation[] = [
  operation({
    id: 'listMetrics',
    method: 'GET',
    path: '/v1/metrics',
    tag: 'metrics',
    summary: 'All metrics.',
    status: 200,
    answer: z.object({ metrics: z.array(metricReport) }),
    run: async ({ store }) => ({ metrics: [...(await store().monitor.metrics())] }),
  }),
  operation({
    id: 'createMetric',
    method: 'POST',
    path: '/v1/metrics',
    tag: 'metrics',
    summary: 'Create a metric.',
    body: metricDefinition,
    status: 201,
    answer: metricReport,
    errors: [409, 422],
    run: async ({ store }, { body }) => {
      const report = await store().monitor.createMetric(body);
      const unknown = await store().search.unknown(propertiesOf(body));
      return unknown.length === 0 ? report : { ...report, unknown: [...unknown] };
    },
  }),
  operation({
    id: 'getMetric',
    method: 'GET',
    path: '/v1/metrics/{id}',
    tag: 'metrics',
    summary: 'A metric: how it is defined, and how far it is.',
    status: 200,
    answer: metricReport,
    run: ({ store }, { id }) => store().monitor.metric(id),
  }),
  operation({
    id: 'deleteMetric',
    method: 'DELETE',
    path: '/v1/metrics/{id}',
    tag: 'metrics',
    summary: 'Delete a metric and its points. Refused while an alert needs it.',
    status: 204,
    errors: [409],
    run: ({ store }, { id }) => store().monitor.deleteMetric(id),
  }),
  operation({
    id: 'listPoints',
    method: 'GET',
    path: '/v1/metrics/{id}/points',
    tag: 'metrics',
    summary: 'What a metric observed, newest first.',
    query: pointsRequest,
    status: 200,
    answer: z.object({ points: z.array(metricPoint) }),
    run: async ({ store }, { id, query }) => ({ points: [...(await store().monitor.points(id, query))] }),
  }),
];

const alerts: readonly Operation[] = [
  operation({
    id: 'listAlerts',
    method: 'GET',
    path: '/v1/alerts',
    tag: 'alerts',
    summary: 'All alerts.',
    status: 200,
    answer: z.object({ alerts: z.array(alertReport) }),
    run: async ({ store }) => ({ alerts: [...(await store().monitor.alerts())] }),
  }),
  operation({
    id: 'createAlert',
    method: 'POST',
    path: '/v1/alerts',
    tag: 'alerts',
    summary: 'Create an alert.',
    body: alertDefinition,
    status: 201,
    answer: alertReport,
    errors: [409, 422],
    run: ({ store }, { body }) => store().monitor.createAlert(body),
  }),
  operation({
    id: 'getAlert',
    method: 'GET',
    path: '/v1/alerts/{id}',
    tag: 'alerts',
    summary: 'An alert: how it is defined, and how it stands.',
    status: 200,
    answer: alertReport,
    run: ({ store }, { id }) => store().monitor.alert(id),
  }),
  operation({
    id: 'deleteAlert',
    method: 'DELETE',
    path: '/v1/alerts/{id}',
    tag: 'alerts',
    summary: 'Delete an alert and its history.',
    status: 204,
    run: ({ store }, { id }) => store().monitor.deleteAlert(id),
  }),
  operation({
    id: 'listEvents',
    method: 'GET',
    path: '/v1/alerts/{id}/history',
    tag: 'alerts',
    summary: 'How the state of an alert changed, newest first.',
    query: historyRequest,
    status: 200,
    answer: z.object({ events: z.array(alertEvent) }),
    run: async ({ store }, { id, query }) => ({
      events: [...(await store().monitor.alertHistory(id, query.limit))],
    }),
  }),
  operation({
    id: 'listStatuses',
    method: 'GET',
    path: '/v1/alert-statuses',
    tag: 'alerts',
    summary: 'How all alerts stand, segment by segment.',
    status: 200,
    answer: z.object({ statuses: z.array(alertStatus) }),
    run: async ({ store }) => ({ statuses: [...(await store().monitor.alertStatuses())] }),
  }),
  operation({
    id: 'createDefaults',
    method: 'POST',
    path: '/v1/defaults',
    tag: 'alerts',
    summary: 'Create the metrics total_traffic and total_traffic_per_route and the alert totaltraffic.',
    status: 201,
    answer: createdDefaults,
    run: async ({ store }) => {
      const { created, existing } = await store().monitor.createDefaults();
      return { created: [...created], existing: [...existing] };
    },
  }),
];

/** Everything that the API can do. Adding something is adding an entry. */
export const OPERATIONS: readonly Operation[] = [
  ...logs,
  ...metrics,
  ...alerts,
  operation({
    id: 'getDescription',
    method: 'GET',
    path: '/v1/openapi.json',
    tag: 'description',
    summary: 'This description.',
    status: 200,
    answer: z.looseObject({ openapi: z.string() }),
    run: async ({ document }) => document as { openapi: string },
  }),
];
