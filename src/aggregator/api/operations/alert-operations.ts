import { z } from 'zod';
import {
  alertDefinition,
  alertEvent,
  alertReport,
  alertStatus,
  editedAlert,
} from '../../../monitoring/alert-definition.ts';
import { alertSilence, silenceRequest } from '../../../monitoring/alert-silence.ts';
import { identifier } from '../../../monitoring/metric-definition.ts';
import { alertPreview, alertPreviewRequest } from '../../../monitoring/preview-definition.ts';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import { assertSameId } from './assert-same-id.ts';
import type { StoreContext } from './store-context.ts';

const byId = z.strictObject({ id: identifier });

const historyRequest = z.strictObject({
  limit: z.int().min(1).max(1000).default(100).meta({ description: 'The newest N changes.' }),
});

const createdDefaults = z.object({
  created: z.array(z.string()),
  existing: z.array(z.string()).meta({ description: 'Those that exist already. They stay unchanged.' }),
});

/** Alerts on metrics, and their states. */
export const ALERT_OPERATIONS: readonly Operation<StoreContext>[] = [
  operation({
    id: 'listAlerts',
    method: 'GET',
    path: '/v1/alerts',
    tag: 'alerts',
    summary: 'List all alerts.',
    status: 200,
    answer: z.object({ alerts: z.array(alertReport) }),
    run: async ({ store }: StoreContext) => ({ alerts: [...(await store().monitor.alerts())] }),
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
    run: ({ store }: StoreContext, { body }) => store().monitor.createAlert(body),
  }),
  operation({
    id: 'getAlert',
    method: 'GET',
    path: '/v1/alerts/{id}',
    parameters: byId,
    tag: 'alerts',
    summary: 'Get an alert: its definition and its states.',
    status: 200,
    answer: alertReport,
    run: ({ store }: StoreContext, { parameters: { id } }) => store().monitor.alert(id),
  }),
  operation({
    id: 'updateAlert',
    method: 'PUT',
    path: '/v1/alerts/{id}',
    parameters: byId,
    tag: 'alerts',
    summary: 'Replace the definition of an alert. Its history stays.',
    body: alertDefinition,
    status: 200,
    answer: editedAlert,
    errors: [409, 422],
    run: async ({ store }: StoreContext, { parameters: { id }, body }) => {
      assertSameId(id, body.id);
      return await store().monitor.updateAlert(body);
    },
  }),
  operation({
    id: 'previewAlert',
    method: 'POST',
    path: '/v1/alerts/preview',
    tag: 'alerts',
    summary: 'Compute the changes that an alert would have had, without creating it.',
    body: alertPreviewRequest,
    status: 200,
    answer: alertPreview,
    errors: [422],
    run: ({ store }: StoreContext, { body }) => store().monitor.previewAlert(body),
  }),
  operation({
    id: 'silenceAlert',
    method: 'POST',
    path: '/v1/alerts/{id}/silence',
    parameters: byId,
    tag: 'alerts',
    summary: 'Silence an alert for some time: its states change, and it pages nothing.',
    description:
      'A page that is open stays open, and is resolved when the alert stops firing. If the alert still fires when the silence ends, it pages then. A second silence replaces the first.',
    body: silenceRequest,
    status: 200,
    answer: alertSilence,
    errors: [422],
    run: ({ store }: StoreContext, { parameters: { id }, body }) => store().monitor.silenceAlert(id, body),
  }),
  operation({
    id: 'unsilenceAlert',
    method: 'DELETE',
    path: '/v1/alerts/{id}/silence',
    parameters: byId,
    tag: 'alerts',
    summary: 'End the silence of an alert.',
    status: 204,
    run: ({ store }: StoreContext, { parameters: { id } }) => store().monitor.unsilenceAlert(id),
  }),
  operation({
    id: 'deleteAlert',
    method: 'DELETE',
    path: '/v1/alerts/{id}',
    parameters: byId,
    tag: 'alerts',
    summary: 'Delete an alert and its history.',
    status: 204,
    run: ({ store }: StoreContext, { parameters: { id } }) => store().monitor.deleteAlert(id),
  }),
  operation({
    id: 'listEvents',
    method: 'GET',
    path: '/v1/alerts/{id}/history',
    parameters: byId,
    tag: 'alerts',
    summary: 'List the state changes of an alert, newest first.',
    query: historyRequest,
    status: 200,
    answer: z.object({ events: z.array(alertEvent) }),
    run: async ({ store }: StoreContext, { parameters: { id }, query }) => ({
      events: [...(await store().monitor.alertHistory(id, query.limit))],
    }),
  }),
  operation({
    id: 'listStatuses',
    method: 'GET',
    path: '/v1/alert-statuses',
    tag: 'alerts',
    summary: 'List the states of all alerts, by segment.',
    status: 200,
    answer: z.object({ statuses: z.array(alertStatus) }),
    run: async ({ store }: StoreContext) => ({ statuses: [...(await store().monitor.alertStatuses())] }),
  }),
  operation({
    id: 'createDefaults',
    method: 'POST',
    path: '/v1/defaults',
    tag: 'alerts',
    summary: 'Create the metrics total_traffic and total_traffic_per_route and the alert totaltraffic.',
    status: 201,
    answer: createdDefaults,
    run: async ({ store }: StoreContext) => {
      const { created, existing } = await store().monitor.createDefaults();
      return { created: [...created], existing: [...existing] };
    },
  }),
];
