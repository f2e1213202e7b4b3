import type { Expression } from '../../expressions/expression.ts';
import type { Property } from '../../expressions/property.ts';
import { propertiesOf } from '../../expressions/reads-of.ts';
import type { CompiledPattern } from '../../patterns/compile-pattern.ts';
import { placeOf } from '../filter-problem.ts';
import type { FilterFacts, FilterReads, FilterWarning, PatternFact } from '../filter-program.ts';

/** Collects what a filter reads and writes while it is compiled. */
export class FactCollector {
  readonly #text: string;
  readonly #patterns: PatternFact[] = [];
  readonly #reads = new Set<string>();
  readonly #writes = new Set<string>();
  readonly #functions = new Set<string>();
  readonly #lookupFiles = new Set<string>();
  readonly #warnings: FilterWarning[] = [];
  readonly #routes = new Set<string>();
  #level: FilterReads = 'resource';

  constructor(text: string) {
    this.#text = text;
  }

  get level(): FilterReads {
    return this.#level;
  }

  get routes(): ReadonlySet<string> | undefined {
    return this.#routes.size === 0 ? undefined : this.#routes;
  }

  facts(): FilterFacts {
    return {
      patterns: this.#patterns,
      reads: [...this.#reads].sort(),
      writes: [...this.#writes].sort(),
      functions: [...this.#functions].sort(),
      lookupFiles: [...this.#lookupFiles].sort(),
      warnings: this.#warnings,
    };
  }

  reads(name: string): void {
    this.#reads.add(name);
    if (name.startsWith('resource.')) return;
    const isPlace = name === 'position' || name === 'stream';
    if (!isPlace) this.#level = 'fields';
    else if (this.#level === 'resource') this.#level = 'bytes';
  }

  readsProperty(property: Property): void {
    if (property.kind === 'attribute' && property.isResource === true) this.#reads.add(property.name);
    else {
      this.#reads.add(shownName(property));
      this.#level = 'fields';
    }
  }

  writes(name: string): void {
    this.#writes.add(name);
    this.#level = 'fields';
  }

  calls(name: string): void {
    this.#functions.add(name);
  }

  looksUp(file: string): void {
    this.#lookupFiles.add(file);
  }

  routesTo(emitter: string): void {
    this.#routes.add(emitter);
  }

  pattern(text: string, offset: number, pattern: CompiledPattern): void {
    this.#patterns.push({ line: placeOf(this.#text, offset).line, text, verdict: pattern.verdict });
  }

  warn(offset: number, reason: string): void {
    this.#warnings.push({ line: placeOf(this.#text, offset).line, reason });
  }

  expression(expression: Expression, offset: number): void {
    if (comparesSourceWithName(expression))
      this.warn(
        offset,
        'source is the path of the log file; write host.name for the host, which pyloggr names source',
      );
    for (const property of propertiesOf(expression)) this.readsProperty(property);
    for (const pattern of patternsIn(expression)) this.pattern(pattern.source, offset, pattern);
  }
}

export function shownName(property: Property): string {
  if (property.kind !== 'attribute') return property.name.replace(/^attributes\./, '');
  return [property.key, ...(property.path?.slice(1) ?? property.rest ?? [])].join('.');
}

/** Whether `source` is compared with a text that is no path, as a program of pyloggr does. */
function comparesSourceWithName(expression: Expression): boolean {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.terms.some(comparesSourceWithName);
    case 'not':
      return comparesSourceWithName(expression.term);
    case 'test': {
      const { property, test } = expression;
      const isSource = property.kind === 'column' && property.name === 'source';
      return isSource && test.text?.kind === 'equals' && !test.text.texts.some((text) => text.includes('/'));
    }
    case 'constant':
    case 'exists':
      return false;
  }
}

function patternsIn(expression: Expression): readonly CompiledPattern[] {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.terms.flatMap(patternsIn);
    case 'not':
      return patternsIn(expression.term);
    case 'test':
      return expression.test.text?.kind === 'matches' ? [expression.test.text.pattern] : [];
    case 'constant':
    case 'exists':
      return [];
  }
}
