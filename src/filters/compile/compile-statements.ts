import { FilterErrorCounts } from '../filter-errors.ts';
import { FilterProblemError, placeOf } from '../filter-problem.ts';
import { FilterRun, NO_RECORD } from '../filter-run.ts';
import { attributeOf, elementsOf, textOf } from '../filter-value.ts';
import type { ReadValue } from '../functions/filter-function.ts';
import { propertyReader } from '../read-property.ts';
import type {
  AssignNode,
  EndNode,
  IfNode,
  RenameNode,
  SplitNode,
  StatementNode,
  TagsNode,
  ValueNode,
} from '../syntax/filter-node.ts';
import { addTag, removeTag, TAGS } from '../tags.ts';
import type { PropertyWriter } from '../write-property.ts';
import type { FilterCompiler, Matches } from './filter-compiler.ts';

/** The step after a statement. */
export const NEXT = 0;
export const STOP = 1;
export const DROP = 2;
export type Flow = typeof NEXT | typeof STOP | typeof DROP;

export type Step = (run: FilterRun) => Flow;

export interface StatementOptions {
  readonly compiler: FilterCompiler;
  readonly text: string;
  /** Called with the line of each statement that runs. */
  readonly onLine: ((line: number) => void) | undefined;
  /** The emitter of the program; undefined: `route` drops nothing. */
  readonly emitter: string | undefined;
  /** A statement that cannot be compiled. The others are compiled, so that all mistakes are reported. */
  readonly onProblem: (error: FilterProblemError) => void;
}

/** Compiles statements to one closure each, without an object for a run. */
export function compileStatements(nodes: readonly StatementNode[], options: StatementOptions): Step {
  warnOfUnreachable(nodes, options);
  const steps = nodes.map((node) => compileLogged(node, options));
  const [only] = steps;
  if (steps.length === 1 && only !== undefined) return only;
  return (run) => {
    for (let at = 0; at < steps.length; at++) {
      const flow = steps[at]?.(run) ?? NEXT;
      if (flow !== NEXT) return flow;
    }
    return NEXT;
  };
}

function warnOfUnreachable(nodes: readonly StatementNode[], { compiler }: StatementOptions): void {
  const end = nodes.findIndex(
    (node) => (node.kind === 'drop' || node.kind === 'stop') && node.condition === undefined,
  );
  const next = end < 0 ? undefined : nodes[end + 1];
  if (next !== undefined)
    compiler.facts.warn(next.offset, `never runs: it is after ${nodes[end]?.kind ?? ''}`);
}

function compileLogged(node: StatementNode, options: StatementOptions): Step {
  const step = compileChecked(node, options);
  const { onLine, text } = options;
  if (onLine === undefined) return step;
  const { line } = placeOf(text, node.offset);
  return (run) => {
    onLine(line);
    return step(run);
  };
}

function compileChecked(node: StatementNode, options: StatementOptions): Step {
  try {
    return compileStatement(node, options);
  } catch (error) {
    if (!(error instanceof FilterProblemError)) throw error;
    options.onProblem(error);
    return () => NEXT;
  }
}

function compileStatement(node: StatementNode, options: StatementOptions): Step {
  const { compiler } = options;
  switch (node.kind) {
    case 'if':
      return compileIf(node, options);
    case 'assign':
      return compileAssign(node, compiler);
    case 'tags':
      return compileTags(node, compiler);
    case 'rename':
      return compileRename(node, compiler);
    case 'split':
      return compileSplit(node, compiler);
    case 'drop':
    case 'stop':
      return compileEnd(node, compiler);
    case 'delete': {
      const writers = node.properties.map((each) => compiler.compileWriter(each));
      return (run) => {
        for (const writer of writers) writer.remove(run);
        return NEXT;
      };
    }
    case 'route':
      return compileRoute(node.emitters, options);
    case 'call': {
      const call = compiler.compileCallStatement(node.call);
      return (run) => {
        call(run);
        return NEXT;
      };
    }
  }
}

function compileIf({ branches, otherwise }: IfNode, options: StatementOptions): Step {
  const compiled = branches.map(({ condition, body }) => ({
    matches: checkedCondition(condition, options),
    step: compileStatements(body, options),
  }));
  const last = otherwise.length === 0 ? undefined : compileStatements(otherwise, options);
  const [first] = compiled;
  if (compiled.length === 1 && first !== undefined) {
    const { matches, step } = first;
    if (last === undefined) return (run) => (matches(run) ? step(run) : NEXT);
    return (run) => (matches(run) ? step(run) : last(run));
  }
  return (run) => {
    for (const { matches, step } of compiled) if (matches(run)) return step(run);
    return last === undefined ? NEXT : last(run);
  };
}

function checkedCondition(
  condition: IfNode['branches'][number]['condition'],
  options: StatementOptions,
): Matches {
  try {
    return options.compiler.compileCondition(condition);
  } catch (error) {
    if (!(error instanceof FilterProblemError)) throw error;
    options.onProblem(error);
    return () => false;
  }
}

function compileAssign({ target, value, offset }: AssignNode, compiler: FilterCompiler): Step {
  const writer = compiler.compileWriter(target);
  const read = compiler.compileValue(value);
  if (value.kind === 'text' || value.kind === 'constant') checkConstant(writer, value);
  return (run) => {
    const found = read(run);
    if (found === undefined) return NEXT;
    const reason = writer.write(run, found);
    if (reason !== undefined) run.error(offset, `${writer.name}: ${reason}`, textOf(found) ?? '');
    return NEXT;
  };
}

/** A constant that the property cannot have is a mistake, which no record has to show. */
function checkConstant(
  writer: PropertyWriter,
  value: Extract<ValueNode, { readonly kind: 'text' | 'constant' }>,
): void {
  const run = new FilterRun(new FilterErrorCounts('', ''));
  run.begin(NO_RECORD);
  const reason = writer.write(run, value.kind === 'text' ? value.text : value.value);
  if (reason !== undefined) throw new FilterProblemError(`${writer.name}: ${reason}`, value.offset);
}

function compileTags({ value, isRemoval }: TagsNode, compiler: FilterCompiler): Step {
  const read = compiler.compileValue(value);
  compiler.facts.writes(TAGS);
  const change = isRemoval ? removeTag : addTag;
  return (run) => {
    for (const each of elementsOf(read(run))) {
      const tag = textOf(each);
      if (tag !== undefined) change(run, tag);
    }
    return NEXT;
  };
}

function compileRename({ from, to }: RenameNode, compiler: FilterCompiler): Step {
  compiler.facts.readsProperty(from.property);
  const read = propertyReader(from.property);
  const old = compiler.compileWriter(from);
  const renamed = compiler.compileWriter(to);
  return (run) => {
    const value = read(run.record);
    if (value === undefined) return NEXT;
    old.remove(run);
    const reason = renamed.write(run, value);
    if (reason === undefined) return NEXT;
    old.write(run, value);
    run.error(to.offset, `${renamed.name}: ${reason}`, textOf(value) ?? '');
    return NEXT;
  };
}

function compileEnd({ kind, condition }: EndNode, compiler: FilterCompiler): Step {
  const flow = kind === 'drop' ? DROP : STOP;
  if (condition === undefined) return () => flow;
  const matches = compiler.compileCondition(condition);
  return (run) => (matches(run) ? flow : NEXT);
}

function compileRoute(emitters: readonly string[], { compiler, emitter }: StatementOptions): Step {
  for (const each of emitters) compiler.facts.routesTo(each);
  const isHere = emitter === undefined || emitters.includes(emitter);
  return (run) => {
    run.isRouted = true;
    run.isRoutedHere ||= isHere;
    if (run.routes !== undefined) for (const each of emitters) run.routes.add(each);
    return NEXT;
  };
}

/** The most records that one record can become. */
const MAX_PARTS = 1000;

/** The program runs once for each part; each run continues with another element. See `FilterRun.choices`. */
function compileSplit({ property, separator, offset }: SplitNode, compiler: FilterCompiler): Step {
  const read = compiler.compileValue(property);
  const writer = compiler.compileWriter(property);
  return (run) => {
    const elements = partsOf(read, run, separator);
    if (elements.length < 2 && separator !== undefined) return NEXT;
    if (elements.length === 0) return NEXT;
    let at = 0;
    if (elements.length > 1) {
      let width = elements.length;
      for (let index = 0; index < run.splits; index++) width *= run.choices[index]?.count ?? 1;
      if (width > MAX_PARTS) {
        run.error(offset, `split: more than ${MAX_PARTS} parts`, '');
        return NEXT;
      }
      run.choices[run.splits] ??= { element: 0, count: elements.length };
      at = run.choices[run.splits]?.element ?? 0;
      run.splits++;
    }
    const element = elements[at];
    const reason = element === undefined ? undefined : writer.write(run, element);
    if (reason !== undefined) run.error(offset, `${writer.name}: ${reason}`, textOf(element) ?? '');
    return NEXT;
  };
}

function partsOf(read: ReadValue, run: FilterRun, separator: string | undefined) {
  const value = read(run);
  if (separator !== undefined) return (textOf(value) ?? '').split(separator).filter((each) => each !== '');
  if (!Array.isArray(value)) return [];
  return elementsOf(value).flatMap((each) => (each === undefined ? [] : [attributeOf(each)]));
}
