import { compileFilter } from '../../src/filters/compile-filter.ts';
import { problemText } from '../../src/filters/filter-problem.ts';
import type { FilterProgram } from '../../src/filters/filter-program.ts';
import { recordsAfter } from '../../src/filters/filter-tests.ts';
import type { AttributeValue, LogRecord } from '../../src/records/log-record.ts';
import { filterTables } from './filter-tables.ts';

export function filterProgram(text: string, emitter?: string, tables = filterTables()): FilterProgram {
  const compiled = compileFilter(text, { file: 'a.filter', tables, emitter });
  if (compiled.kind === 'program') return compiled.program;
  throw new Error(compiled.problems.map(problemText).join('\n'));
}

export function problemsOf(text: string): readonly string[] {
  const compiled = compileFilter(text, { file: 'a.filter', tables: filterTables() });
  return compiled.kind === 'program' ? [] : compiled.problems.map(problemText);
}

export function filteredRecord(
  body: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  rest: Partial<LogRecord> = {},
): LogRecord {
  return {
    timeUnixNano: undefined,
    severityNumber: undefined,
    severityText: undefined,
    body,
    attributes: new Map(Object.entries(attributes)),
    observedTimeUnixNano: 1_781_524_800_000_000_000n,
    resource: new Map([['host.name', 'web-1']]),
    format: 'plain',
    stream: '0123456789abcdef0123456789abcdef' as LogRecord['stream'],
    position: 0,
    ...rest,
  };
}

export function afterFilter(text: string, record: LogRecord): readonly LogRecord[] {
  return recordsAfter(record, filterProgram(text).run(record));
}

/** The attributes of the only record after a filter. */
export function attributesAfter(text: string, record: LogRecord): Record<string, AttributeValue> {
  const [only] = afterFilter(text, record);
  return Object.fromEntries(only?.attributes ?? []);
}
