import { z } from 'zod';
import {
  editedMetric,
  identifier,
  metricDefinition,
  metricPoint,
  metricReport,
  pointsRequest,
} from '../../../monitoring/metric-definition.ts';
import { propertiesOf } from '../../../monitoring/metric-sql.ts';
import { metricPreview, metricPreviewRequest } from '../../../monitoring/preview-definition.ts';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import { assertSameId } from './assert-same-id.ts';
import type { StoreContext } from './store-context.ts';

const byId = z.strictObject({ id: identifier });

/** Metrics of the store, and their points. */
export const METRIC_OPERATIONS: readonly Operation<StoreContext>[] = [
  operation({
    id: 'listMetrics',
    method: 'GET',
    path: '/v1/metrics',
    tag: 'metrics',
    summary: 'List all metrics.',
    status: 200,
    answer: z.object({ metrics: z.array(metricReport) }),
    run: async ({ store }: StoreContext) => ({ metrics: [...(await store().monitor.metrics())] }),
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
    run: async ({ store }: StoreContext, { body }) => {
      const report = await store().monitor.createMetric(body);
      const unknown = await store().search.unknown(propertiesOf(body));
      return unknown.length === 0 ? report : { ...report, unknown: [...unknown] };
    },
  }),
  operation({
    id: 'getMetric',
    method: 'GET',
    path: '/v1/metrics/{id}',
    parameters: byId,
    tag: 'metrics',
    summary: 'Get a metric: its definition and its progress.',
    status: 200,
    answer: metricReport,
    run: ({ store }: StoreContext, { parameters: { id } }) => store().monitor.metric(id),
  }),
  operation({
    id: 'updateMetric',
    method: 'PUT',
    path: '/v1/metrics/{id}',
    parameters: byId,
    tag: 'metrics',
    summary: 'Replace the definition of a metric.',
    description:
      'The newest points, back to startOffsetSeconds, are computed again. Older points stay, unless the period or the segments change: then all points are deleted. `changes` reports this.',
    body: metricDefinition,
    status: 200,
    answer: editedMetric,
    errors: [409, 422],
    run: async ({ store }: StoreContext, { parameters: { id }, body }) => {
      assertSameId(id, body.id);
      return await store().monitor.updateMetric(body);
    },
  }),
  operation({
    id: 'previewMetric',
    method: 'POST',
    path: '/v1/metrics/preview',
    tag: 'metrics',
    summary: 'Compute the points that a metric would have, without creating it.',
    body: metricPreviewRequest,
    status: 200,
    answer: metricPreview,
    errors: [422],
    run: ({ store }: StoreContext, { body }) => store().monitor.previewMetric(body),
  }),
  operation({
    id: 'deleteMetric',
    method: 'DELETE',
    path: '/v1/metrics/{id}',
    parameters: byId,
    tag: 'metrics',
    summary: 'Delete a metric and its points. Rejected while an alert uses it.',
    status: 204,
    errors: [409],
    run: ({ store }: StoreContext, { parameters: { id } }) => store().monitor.deleteMetric(id),
  }),
  operation({
    id: 'listPoints',
    method: 'GET',
    path: '/v1/metrics/{id}/points',
    parameters: byId,
    tag: 'metrics',
    summary: 'List the points of a metric, newest first.',
    query: pointsRequest,
    status: 200,
    answer: z.object({ points: z.array(metricPoint) }),
    run: async ({ store }: StoreContext, { parameters: { id }, query }) => ({
      points: [...(await store().monitor.points(id, query))],
    }),
  }),
];
