import { z } from 'zod';
import {
  editedLogGroup,
  logGroupDefinition,
  logGroupReport,
} from '../../../monitoring/log-group-definition.ts';
import { identifier } from '../../../monitoring/metric-definition.ts';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import { assertSameId } from './assert-same-id.ts';
import type { StoreContext } from './store-context.ts';

const byId = z.strictObject({ id: identifier });

/** Saved expressions, which searches and metrics name: `group("checkout")`. */
export const LOG_GROUP_OPERATIONS: readonly Operation<StoreContext>[] = [
  operation({
    id: 'listLogGroups',
    method: 'GET',
    path: '/v1/log-groups',
    tag: 'groups',
    summary: 'List all log groups.',
    status: 200,
    answer: z.object({ groups: z.array(logGroupReport) }),
    run: async ({ store }: StoreContext) => ({ groups: [...(await store().monitor.logGroups())] }),
  }),
  operation({
    id: 'createLogGroup',
    method: 'POST',
    path: '/v1/log-groups',
    tag: 'groups',
    summary: 'Create a log group: a saved expression.',
    body: logGroupDefinition,
    status: 201,
    answer: logGroupReport,
    errors: [409, 422],
    run: ({ store }: StoreContext, { body }) => store().monitor.createLogGroup(body),
  }),
  operation({
    id: 'getLogGroup',
    method: 'GET',
    path: '/v1/log-groups/{id}',
    parameters: byId,
    tag: 'groups',
    summary: 'Get a log group, and the metrics that use it.',
    status: 200,
    answer: logGroupReport,
    run: ({ store }: StoreContext, { parameters: { id } }) => store().monitor.logGroup(id),
  }),
  operation({
    id: 'updateLogGroup',
    method: 'PUT',
    path: '/v1/log-groups/{id}',
    parameters: byId,
    tag: 'groups',
    summary: 'Replace a log group. The metrics that use it are computed again.',
    body: logGroupDefinition,
    status: 200,
    answer: editedLogGroup,
    errors: [409, 422],
    run: async ({ store }: StoreContext, { parameters: { id }, body }) => {
      assertSameId(id, body.id);
      return await store().monitor.updateLogGroup(body);
    },
  }),
  operation({
    id: 'deleteLogGroup',
    method: 'DELETE',
    path: '/v1/log-groups/{id}',
    parameters: byId,
    tag: 'groups',
    summary: 'Delete a log group. Rejected while a metric uses it.',
    status: 204,
    errors: [409],
    run: ({ store }: StoreContext, { parameters: { id } }) => store().monitor.deleteLogGroup(id),
  }),
];
