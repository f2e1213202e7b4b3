import { formatNamed } from '../formats/registry.ts';
import type { LogRecord } from '../records/log-record.ts';
import type { Resource } from '../records/resource.ts';
import { FactCollector } from './compile/fact-collector.ts';
import { FilterCompiler } from './compile/filter-compiler.ts';
import { compileFilter, type FilterTrace } from './compile-filter.ts';
import { FilterErrorCounts } from './filter-errors.ts';
import { FilterProblemError, placeOf } from './filter-problem.ts';
import type { FilterResult } from './filter-program.ts';
import { FilterRun } from './filter-run.ts';
import type { FilterTables } from './filter-tables.ts';
import type { Expectation, TestNode } from './syntax/filter-node.ts';

export interface FilterTestResult {
  readonly name: string;
  readonly line: number;
  /** undefined: the test passed. */
  readonly failure: FilterTestFailure | undefined;
}

export interface FilterTestFailure {
  readonly line: number;
  readonly reason: string;
  /** The records after the filter; none: it was dropped. */
  readonly records: readonly LogRecord[];
}

interface TestOptions {
  readonly file: string;
  readonly tables: FilterTables;
}

/**
 * Runs the `test` blocks of a filter. Records are observed at `TEST_TIME`, so that a time without a year is
 * always the same. A filter that cannot be compiled has no results.
 */
export function runFilterTests(text: string, { file, tables }: TestOptions): readonly FilterTestResult[] {
  const trace: FilterTrace = { lines: new Set(), routes: new Set() };
  const compiled = compileFilter(text, { file, tables, trace });
  if (compiled.kind === 'problems') return [];
  const { program, node } = compiled;
  return node.tests.map((test) => {
    const record = recordOf(test);
    const result = program.run(record);
    const records = recordsAfter(record, result);
    const check = { text, tables, records, routes: trace.routes };
    const failures = test.expectations.flatMap((each) => failureOf(each, check) ?? []);
    return { name: test.name, line: placeOf(text, test.offset).line, failure: failures[0] };
  });
}

/** 2026-06-15T12:00:00Z */
export const TEST_TIME_UNIX_NANO = 1_781_524_800_000_000_000n;

/** The records that leave a filter. */
export function recordsAfter(record: LogRecord, result: FilterResult): readonly LogRecord[] {
  switch (result.kind) {
    case 'unchanged':
      return [record];
    case 'dropped':
      return [];
    case 'records':
      return result.records;
  }
}

function recordOf({ format, line, resource }: TestNode): LogRecord {
  return parsedRecord(format, line, resource);
}

/** The record of a line, as an emitter gets it. */
export function parsedRecord(format: string, line: string, resource: Resource): LogRecord {
  const observedTimeUnixNano = TEST_TIME_UNIX_NANO;
  const parsed = formatNamed(format).parse(Buffer.from(line), { resource, observedTimeUnixNano });
  const { timeUnixNano, severityNumber, severityText, body, attributes } = parsed;
  const stream = '0'.repeat(32) as LogRecord['stream'];
  const content = { timeUnixNano, severityNumber, severityText, body, attributes };
  return { ...content, observedTimeUnixNano, resource, format, stream, position: 0 };
}

interface Check {
  readonly text: string;
  readonly tables: FilterTables;
  readonly records: readonly LogRecord[];
  readonly routes: ReadonlySet<string>;
}

function failureOf(expectation: Expectation, check: Check): FilterTestFailure | undefined {
  const reason = reasonOf(expectation, check);
  const { line } = placeOf(check.text, expectation.offset);
  return reason === undefined ? undefined : { line, reason, records: check.records };
}

function reasonOf(expectation: Expectation, { text, tables, records, routes }: Check): string | undefined {
  switch (expectation.kind) {
    case 'dropped':
      return records.length === 0 ? undefined : 'the record is not dropped';
    case 'route': {
      const missing = expectation.emitters.filter((each) => !routes.has(each));
      return missing.length === 0 ? undefined : `the record is not routed to ${missing.join(', ')}`;
    }
    case 'condition': {
      if (records.length === 0) return 'the record is dropped';
      try {
        return isAnyMatch(expectation, { text, tables, records, routes })
          ? undefined
          : 'the condition is false';
      } catch (error) {
        if (error instanceof FilterProblemError) return error.message;
        throw error;
      }
    }
  }
}

function isAnyMatch(
  { condition }: Extract<Expectation, { kind: 'condition' }>,
  { text, tables, records }: Check,
): boolean {
  const matches = new FilterCompiler(tables, new FactCollector(text)).compileCondition(condition);
  const run = new FilterRun(new FilterErrorCounts('', text));
  return records.some((record) => {
    run.begin(record);
    return matches(run);
  });
}
