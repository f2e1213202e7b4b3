import { z } from 'zod';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import { ALERT_OPERATIONS } from './alert-operations.ts';
import { DEAD_LETTER_OPERATIONS } from './dead-letter-operations.ts';
import { EXPRESSION_OPERATIONS, type ExpressionContext } from './expression-operations.ts';
import { FILTER_OPERATIONS, type FilterContext } from './filter-operations.ts';
import { INTAKE_OPERATIONS, type IntakeContext } from './intake-operations.ts';
import { LOG_GROUP_OPERATIONS } from './log-group-operations.ts';
import { LOG_OPERATIONS } from './log-operations.ts';
import { METRIC_OPERATIONS } from './metric-operations.ts';
import type { QueueContext } from './queue-context.ts';
import { QUEUE_OPERATIONS } from './queue-operations.ts';
import { RECORD_OPERATIONS, type RecordContext } from './record-operations.ts';
import { SESSION_OPERATIONS, type SessionContext } from './session-operations.ts';
import type { StoreContext } from './store-context.ts';
import { TAP_OPERATIONS, type TapContext } from './tap-operations.ts';

/** Each query occupies the store: few run at a time. */
export const STORE_OPERATIONS: readonly Operation<StoreContext & RecordContext>[] = [
  ...LOG_OPERATIONS,
  ...LOG_GROUP_OPERATIONS,
  ...RECORD_OPERATIONS,
  ...METRIC_OPERATIONS,
  ...ALERT_OPERATIONS,
];

/** Answered without the store, also while it is busy or damaged. */
export const STATE_OPERATIONS: readonly Operation<
  QueueContext & FilterContext & IntakeContext & ExpressionContext & TapContext
>[] = [
  ...QUEUE_OPERATIONS,
  ...DEAD_LETTER_OPERATIONS,
  ...FILTER_OPERATIONS,
  ...INTAKE_OPERATIONS,
  ...EXPRESSION_OPERATIONS,
  ...TAP_OPERATIONS,
];

export interface DescriptionContext {
  /** The OpenAPI document. */
  readonly document: object;
}

export const DESCRIPTION_OPERATIONS: readonly Operation<DescriptionContext>[] = [
  operation({
    id: 'getDescription',
    method: 'GET',
    path: '/v1/openapi.json',
    tag: 'description',
    summary: 'Get this description.',
    status: 200,
    answer: z.looseObject({ openapi: z.string() }),
    run: async ({ document }: DescriptionContext) => document as { openapi: string },
  }),
];

type AnyContext = RecordContext &
  QueueContext &
  FilterContext &
  IntakeContext &
  ExpressionContext &
  DescriptionContext;

/** Everything that an aggregator answers. An addition is an entry in one of these tables. */
export const OPERATIONS: readonly Operation<AnyContext>[] = [
  ...STORE_OPERATIONS,
  ...STATE_OPERATIONS,
  ...DESCRIPTION_OPERATIONS,
];

/** The operations of the HTTP address: a session is the access of a browser, and no use to a command. */
export const NETWORK_OPERATIONS: readonly Operation<AnyContext & SessionContext>[] = [
  ...OPERATIONS,
  ...SESSION_OPERATIONS,
];
