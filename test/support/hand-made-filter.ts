import type { FilterProgram, FilterResult } from '../../src/filters/filter-program.ts';
import type { LogRecord } from '../../src/records/log-record.ts';
import type { Resource } from '../../src/records/resource.ts';

const EMPTY: FilterProgram = {
  name: 'test',
  reads: 'fields',
  decide: () => 'run',
  run: () => {
    throw new Error('run must not be called');
  },
  routes: undefined,
  errors: { total: 0, byLine: new Map(), samples: [] },
  facts: { patterns: [], reads: [], writes: [], functions: [], lookupFiles: [], warnings: [] },
};

/** A filter that is a function of the body. */
export function bodyFilter(run: (record: LogRecord) => FilterResult): FilterProgram {
  return { ...EMPTY, reads: 'fields', run };
}

/** A filter that reads only the resource. Its `run` must not be called. */
export function resourceFilter(decide: (resource: Resource) => 'keep' | 'drop'): FilterProgram {
  return { ...EMPTY, reads: 'resource', decide };
}

/**
 * Decides by words of the body: `drop` drops it, `change` appends `!` to it, `tag` sets the attribute `tagged`,
 * `split` makes a record of each word.
 */
export const WORDS = bodyFilter((record) => {
  const { body, attributes } = record;
  if (body.includes('drop')) return { kind: 'dropped' };
  if (body.includes('change')) return { kind: 'records', records: [{ ...record, body: `${body}!` }] };
  if (body.includes('tag'))
    return {
      kind: 'records',
      records: [{ ...record, attributes: new Map([...attributes, ['tagged', 'yes']]) }],
    };
  if (!body.includes('split')) return { kind: 'unchanged' };
  return { kind: 'records', records: body.split(' ').map((word) => ({ ...record, body: word })) };
});
