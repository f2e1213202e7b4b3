import { z } from 'zod';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import type { FilterStatus } from '../../filters/aggregator-filters.ts';
import type { FilterLineErrors } from '../../filters/filter-error-log.ts';
import { filterReport } from './queue-reports.ts';

/** The means of the operations on filters. */
export interface FilterContext {
  /** undefined: the aggregator is starting, or it does not run. */
  readonly filters: () => FilterReports | undefined;
}

interface FilterReports {
  statuses(): readonly FilterStatus[];
  readonly errors: { list(): readonly FilterLineErrors[] };
}

const filterErrorReport = z.object({
  emitter: z.string(),
  file: z.string(),
  line: z.number(),
  count: z.number(),
  samples: z.array(z.object({ reason: z.string(), value: z.string() })),
});

export const listFilters = operation({
  id: 'listFilters',
  method: 'GET',
  path: '/v1/filters',
  tag: 'filters',
  summary: 'List the filter of each emitter, and whether its file is valid.',
  status: 200,
  answer: z.object({ filters: z.array(filterReport) }),
  run: async ({ filters }: FilterContext) => ({
    filters: (filters()?.statuses() ?? []).map((status) => ({ ...status, problems: [...status.problems] })),
  }),
});

export const listFilterErrors = operation({
  id: 'listFilterErrors',
  method: 'GET',
  path: '/v1/filters/errors',
  tag: 'filters',
  summary: 'List the errors of the filters in use, by line, with samples.',
  access: 'token',
  status: 200,
  answer: z.object({ errors: z.array(filterErrorReport) }),
  run: async ({ filters }: FilterContext) => ({
    errors: (filters()?.errors.list() ?? []).map(({ samples, ...line }) => ({
      ...line,
      samples: samples.map(({ reason, value }) => ({ reason, value })),
    })),
  }),
});

/** The filters of the emitters. */
export const FILTER_OPERATIONS: readonly Operation<FilterContext>[] = [listFilters, listFilterErrors];
