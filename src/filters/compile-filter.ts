import type { LogRecord } from '../records/log-record.ts';
import type { Resource } from '../records/resource.ts';
import { compileStatements, DROP, type Step } from './compile/compile-statements.ts';
import { FactCollector } from './compile/fact-collector.ts';
import { FilterCompiler } from './compile/filter-compiler.ts';
import { FilterErrorCounts } from './filter-errors.ts';
import { type FilterProblem, FilterProblemError, placeOf } from './filter-problem.ts';
import type { FilterFacts, FilterProgram, FilterReads, FilterResult } from './filter-program.ts';
import { FilterRun } from './filter-run.ts';
import type { FilterTables } from './filter-tables.ts';
import { NEEDS_RECORD, ResourceProbe } from './resource-probe.ts';
import type { FilterNode } from './syntax/filter-node.ts';
import { parseFilter } from './syntax/parse-filter.ts';

export interface FilterOptions {
  /** The path of the file, for messages. Its name without the ending is the name of the filter. */
  readonly file: string;
  readonly tables: FilterTables;
  /** The emitter that the records are for: `route` drops those for others. undefined: it drops none. */
  readonly emitter?: string | undefined;
  /** Filled by each run. */
  readonly trace?: FilterTrace | undefined;
}

/** What happened in the last run. */
export interface FilterTrace {
  /** The lines of the statements that ran. */
  readonly lines: Set<number>;
  /** The emitters that `route` named. */
  readonly routes: Set<string>;
}

export type CompiledFilter =
  | { readonly kind: 'program'; readonly program: FilterProgram; readonly node: FilterNode }
  /** All mistakes of the statements; a syntax error is the only one. */
  | { readonly kind: 'problems'; readonly problems: readonly FilterProblem[] };

/** Parses, checks and compiles a filter. It never throws for a text. */
export function compileFilter(text: string, options: FilterOptions): CompiledFilter {
  const problems: FilterProblem[] = [];
  const onProblem = (error: FilterProblemError) => {
    problems.push({ file: options.file, ...placeOf(text, error.offset), reason: error.message });
  };
  try {
    const node = parseFilter(text);
    const facts = new FactCollector(text);
    const compiler = new FilterCompiler(options.tables, facts);
    const { emitter, trace } = options;
    const onLine = trace === undefined ? undefined : (line: number) => void trace.lines.add(line);
    const step = compileStatements(node.statements, { compiler, text, onLine, emitter, onProblem });
    if (problems.length > 0) return { kind: 'problems', problems };
    const errors = new FilterErrorCounts(options.file, text);
    return { kind: 'program', program: new Program({ step, facts, errors, options }), node };
  } catch (error) {
    if (!(error instanceof FilterProblemError)) throw error;
    onProblem(error);
    return { kind: 'problems', problems };
  }
}

interface ProgramParts {
  readonly step: Step;
  readonly facts: FactCollector;
  readonly errors: FilterErrorCounts;
  readonly options: FilterOptions;
}

const UNCHANGED: FilterResult = { kind: 'unchanged' };
const DROPPED: FilterResult = { kind: 'dropped' };

class Program implements FilterProgram {
  readonly name: string;
  readonly reads: FilterReads;
  readonly routes: ReadonlySet<string> | undefined;
  readonly errors: FilterErrorCounts;
  readonly facts: FilterFacts;
  readonly #step: Step;
  readonly #run: FilterRun;
  readonly #trace: FilterTrace | undefined;
  /** Otherwise a probe cannot decide. */
  readonly #readsResource: boolean;
  readonly #probe = new ResourceProbe();

  constructor({ step, facts, errors, options }: ProgramParts) {
    this.name = (options.file.split(/[/\\]/).at(-1) ?? '').replace(/\.filter$/, '');
    this.reads = facts.level;
    this.routes = facts.routes;
    this.errors = errors;
    this.facts = facts.facts();
    this.#readsResource =
      facts.level === 'resource' || this.facts.reads.some((name) => name.startsWith('resource.'));
    this.#step = step;
    this.#trace = options.trace;
    this.#run = new FilterRun(errors);
    this.#run.routes = options.trace?.routes;
  }

  decide(resource: Resource): 'keep' | 'drop' | 'run' {
    if (!this.#readsResource) return 'run';
    const run = this.#run;
    this.#probe.resource = resource;
    run.choices.length = 0;
    run.isProbing = true;
    try {
      return this.#runOnce(this.#probe) ? 'keep' : 'drop';
    } catch (error) {
      if (error === NEEDS_RECORD) return 'run';
      throw error;
    } finally {
      run.isProbing = false;
    }
  }

  run(record: LogRecord): FilterResult {
    const run = this.#run;
    this.#trace?.lines.clear();
    this.#trace?.routes.clear();
    run.choices.length = 0;
    const isKept = this.#runOnce(record);
    if (run.choices.length > 0) return this.#split(record, isKept);
    if (!isKept) return DROPPED;
    return run.draft === undefined ? UNCHANGED : { kind: 'records', records: [run.draft] };
  }

  /** Whether the record is kept, for this emitter. */
  #runOnce(record: LogRecord): boolean {
    const run = this.#run;
    run.begin(record);
    const flow = this.#step(run);
    return flow !== DROP && (!run.isRouted || run.isRoutedHere);
  }

  /** Runs the program for the other parts: from the last split on, with its next element. */
  #split(record: LogRecord, isFirstKept: boolean): FilterResult {
    const run = this.#run;
    const records: LogRecord[] = [];
    let isKept = isFirstKept;
    for (let part = 0; ; part++) {
      if (isKept) {
        const draft = run.change();
        draft.part = part;
        records.push(draft);
      }
      let choice = run.choices.at(-1);
      while (choice !== undefined && choice.element + 1 >= choice.count) {
        run.choices.pop();
        choice = run.choices.at(-1);
      }
      if (choice === undefined) return records.length === 0 ? DROPPED : { kind: 'records', records };
      choice.element++;
      isKept = this.#runOnce(record);
    }
  }
}
