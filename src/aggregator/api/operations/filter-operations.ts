import { z } from 'zod';
import type { FilterTableFiles } from '../../../filter-files/load-filter-tables.ts';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import type { FilterLineErrors } from '../../filters/filter-error-log.ts';
import type { FilterStatus } from '../../filters/filter-status.ts';
import { lastRecords, tryFilter } from '../../filters/try-filter.ts';
import type { QueueContext } from './queue-context.ts';
import { filterReport } from './queue-reports.ts';

const MAX_RECORDS = 100;
const MAX_TEXT = 1024 * 1024;
/** No file has this directory: `lookup` finds nothing. */
const NO_FILES: FilterTableFiles = { directory: '/nonexistent' };

/** The means of the operations on filters. */
export interface FilterContext {
  /** undefined: the aggregator is starting, or it does not run. */
  readonly filters: () => FilterReports | undefined;
}

interface FilterReports {
  /** Where filters find their tables. */
  readonly tableFiles: FilterTableFiles | undefined;
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

const problem = z.object({ file: z.string(), line: z.number(), column: z.number(), reason: z.string() });

export const tryFilterOperation = operation({
  id: 'tryFilter',
  method: 'POST',
  path: '/v1/filters/try',
  tag: 'filters',
  summary: 'Run a filter over the newest records of the queue, without any effect.',
  access: 'token',
  body: z.strictObject({
    text: z.string().max(MAX_TEXT).meta({ description: 'The filter.' }),
    limit: z.int().min(1).max(MAX_RECORDS).optional().meta({ description: 'Records; default: 100.' }),
  }),
  status: 200,
  answer: z.object({
    problems: z.array(problem),
    records: z.array(
      z.object({
        before: z.looseObject({ body: z.string() }),
        after: z
          .array(z.looseObject({ body: z.string() }))
          .meta({ description: 'Empty: the filter drops the record.' }),
        lines: z.array(z.number()).meta({ description: 'The lines of the filter that ran.' }),
        routes: z.array(z.string()).meta({ description: 'The emitters that route named.' }),
      }),
    ),
    errors: z
      .object({
        total: z.number(),
        samples: z.array(z.object({ line: z.number(), reason: z.string(), value: z.string() })),
      })
      .optional()
      .meta({ description: 'Values that the filter could not use, with the first ones.' }),
  }),
  run: async ({ queue, filters }: FilterContext & QueueContext, { body: { text, limit = MAX_RECORDS } }) => {
    const records = lastRecords(await queue().recentEntries(limit), limit);
    const files = filters()?.tableFiles ?? NO_FILES;
    const { problems, records: tried, errors } = await tryFilter(text, records, files);
    return { problems: [...problems], records: tried, errors };
  },
});

/** The filters of the emitters. */
export const FILTER_OPERATIONS: readonly Operation<FilterContext & QueueContext>[] = [
  listFilters,
  listFilterErrors,
  tryFilterOperation,
];
