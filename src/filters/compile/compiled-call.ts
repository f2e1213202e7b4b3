import { parseProperty } from '../../expressions/property.ts';
import { type CompiledPattern, compilePattern } from '../../patterns/compile-pattern.ts';
import { PatternError } from '../../patterns/pattern-error.ts';
import { FilterProblemError } from '../filter-problem.ts';
import type { FilterRun } from '../filter-run.ts';
import type { FilterTables } from '../filter-tables.ts';
import { type FilterValue, textOf } from '../filter-value.ts';
import { type FilterCall, FROM, type ReadValue } from '../functions/filter-function.ts';
import { propertyReader } from '../read-property.ts';
import type { CallNode, ValueNode } from '../syntax/filter-node.ts';
import { PYLOGGR_NAMES } from '../syntax/pyloggr-names.ts';
import type { FactCollector } from './fact-collector.ts';

export type CallUse = 'statement' | 'condition' | 'value';

export interface CallScope {
  readonly tables: FilterTables;
  readonly facts: FactCollector;
  compileValue(node: ValueNode): ReadValue;
}

/** The arguments of a call, for the function that compiles it. */
export class CompiledCall implements FilterCall {
  readonly #node: CallNode;
  readonly #scope: CallScope;
  readonly #use: CallUse;

  constructor(node: CallNode, scope: CallScope, use: CallUse) {
    this.#node = node;
    this.#scope = scope;
    this.#use = use;
  }

  get tables(): FilterTables {
    return this.#scope.tables;
  }

  get isStatement(): boolean {
    return this.#use === 'statement';
  }

  get count(): number {
    return this.#node.values.length;
  }

  value(index: number): ReadValue {
    return this.#scope.compileValue(this.#nodeAt(index));
  }

  named(name: string): ReadValue | undefined {
    const node = this.#namedNode(name);
    return node === undefined ? undefined : this.#scope.compileValue(node);
  }

  text(index: number, what: string): string {
    return constantText(this.#nodeAt(index), what).text;
  }

  namedText(name: string): string | undefined {
    const node = this.#namedNode(name);
    return node === undefined ? undefined : constantText(node, 'a text').text;
  }

  number(index: number, what: string): number {
    return constantNumber(this.#nodeAt(index), what);
  }

  namedNumber(name: string): number | undefined {
    const node = this.#namedNode(name);
    return node === undefined ? undefined : constantNumber(node, `a number as ${name}`);
  }

  namedFlag(name: string): boolean {
    const node = this.#namedNode(name);
    if (node === undefined) return false;
    if (node.kind === 'constant' && typeof node.value === 'boolean') return node.value;
    throw new FilterProblemError(`expected ${name} = true or false`, node.offset);
  }

  pattern(index: number, flags: '' | 'i' = ''): CompiledPattern {
    const node = constantText(this.#nodeAt(index), 'a regular expression');
    const source = node.raw.replaceAll(/\\(.)/gs, (all, next: string) =>
      next === "'" || next === '"' ? next : all,
    );
    return this.#compiled(source, node.offset, () => compilePattern(source, flags));
  }

  grokPattern(index: number): CompiledPattern {
    const node = constantText(this.#nodeAt(index), 'a pattern');
    const { patterns } = this.#scope.tables;
    const isName = /^\w+$/.test(node.text);
    const source = isName ? node.text : node.raw;
    return this.#compiled(source, node.offset, () =>
      isName ? patterns.compileNamed(source) : patterns.compile(source),
    );
  }

  source(): (run: FilterRun) => string | undefined {
    const from = this.named(FROM);
    if (from !== undefined) return (run) => textOf(from(run));
    this.reads('body');
    return ({ record }) => record.body;
  }

  valuesOr(property: string): readonly ReadValue[] {
    if (this.count > 0) return this.#node.values.map((each) => this.#scope.compileValue(each));
    const parsed = parseProperty(PYLOGGR_NAMES.get(property) ?? property);
    this.#scope.facts.readsProperty(parsed);
    const read = propertyReader(parsed);
    return [({ record }) => read(record)];
  }

  reads(property: string): void {
    this.#scope.facts.reads(property);
  }

  writes(name: string): void {
    this.#scope.facts.writes(name);
  }

  fail(reason: string, index?: number): never {
    const node = index === undefined ? undefined : this.#node.values[index];
    throw new FilterProblemError(reason, node?.offset ?? this.#node.offset);
  }

  warn(reason: string): void {
    this.#scope.facts.warn(this.#node.offset, reason);
  }

  error(run: FilterRun, reason: string, value: FilterValue): void {
    if (this.#use !== 'condition')
      run.error(this.#node.offset, `${this.#node.name}: ${reason}`, textOf(value) ?? '');
  }

  #compiled(source: string, offset: number, compile: () => CompiledPattern): CompiledPattern {
    try {
      const pattern = compile();
      this.#scope.facts.pattern(source, offset, pattern);
      return pattern;
    } catch (error) {
      if (error instanceof PatternError)
        throw new FilterProblemError(`invalid pattern: ${error.message}`, offset);
      throw error;
    }
  }

  #nodeAt(index: number): ValueNode {
    const node = this.#node.values[index];
    return node ?? this.fail(`${this.#node.name} has no argument ${index + 1}`);
  }

  #namedNode(name: string): ValueNode | undefined {
    return this.#node.named.find((each) => each.name === name)?.value;
  }
}

function constantText(node: ValueNode, what: string) {
  if (node.kind === 'text') return node;
  throw new FilterProblemError(`expected ${what} in quotes`, node.offset);
}

function constantNumber(node: ValueNode, what: string): number {
  if (node.kind === 'constant' && typeof node.value === 'number') return node.value;
  throw new FilterProblemError(`expected ${what}`, node.offset);
}
