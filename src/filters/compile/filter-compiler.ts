import { compileExpression } from '../../expressions/compile-expression.ts';
import { readsOf } from '../../expressions/reads-of.ts';
import type { Resource } from '../../records/resource.ts';
import { nearestName } from '../../runtime/configuration/unknown-variables.ts';
import { FilterProblemError } from '../filter-problem.ts';
import type { FilterRun } from '../filter-run.ts';
import type { FilterTables } from '../filter-tables.ts';
import { isAnyEqual } from '../filter-value.ts';
import type { FilterFunction, FilterOperation, ReadValue } from '../functions/filter-function.ts';
import { FILTER_FUNCTIONS } from '../functions/registry.ts';
import { propertyReader } from '../read-property.ts';
import type { CallNode, ConditionNode, PropertyNode, ValueNode } from '../syntax/filter-node.ts';
import { checkEscapes } from '../syntax/parse-value.ts';
import { type PropertyWriter, propertyWriter } from '../write-property.ts';
import { type CallUse, CompiledCall } from './compiled-call.ts';
import type { FactCollector } from './fact-collector.ts';
import { joinValues } from './join-values.ts';

export type Matches = (run: FilterRun) => boolean;

/** Compiles the conditions and values of a filter to closures. Throws FilterProblemError. */
export class FilterCompiler {
  readonly tables: FilterTables;
  readonly facts: FactCollector;

  constructor(tables: FilterTables, facts: FactCollector) {
    this.tables = tables;
    this.facts = facts;
  }

  compileCondition(node: ConditionNode): Matches {
    switch (node.kind) {
      case 'and':
        return node.terms.map((each) => this.compileCondition(each)).reduceRight(both);
      case 'or':
        return node.terms.map((each) => this.compileCondition(each)).reduceRight(either);
      case 'not': {
        const term = this.compileCondition(node.term);
        return (run) => !term(run);
      }
      case 'expression': {
        this.facts.expression(node.expression, node.offset);
        const matches = compileExpression(node.expression);
        if (readsOf(node.expression) === 'record') return ({ record }) => matches(record);
        return oncePerResource(({ record }) => matches(record));
      }
      case 'call':
        return asCondition(this.compileCall(node.call, 'condition'));
      case 'equal': {
        const left = this.compileValue(node.left);
        const right = this.compileValue(node.right);
        const { isNegated } = node;
        return (run) => isAnyEqual(left(run), right(run)) !== isNegated;
      }
    }
  }

  compileValue(node: ValueNode): ReadValue {
    switch (node.kind) {
      case 'text': {
        checkEscapes(node);
        const { text } = node;
        return () => text;
      }
      case 'constant': {
        const { value } = node;
        return () => value;
      }
      case 'property': {
        this.facts.readsProperty(node.property);
        const read = propertyReader(node.property);
        return ({ record }) => read(record);
      }
      case 'call': {
        const operation = this.compileCall(node.call, 'value');
        return operation.kind === 'value' ? operation.read : operation.run;
      }
      case 'join':
        return joinValues(
          node.parts.map((each) => this.compileValue(each)),
          node.offset,
        );
    }
  }

  /** As a statement. A result that is not used is a mistake. */
  compileCallStatement(node: CallNode): Matches {
    const operation = this.compileCall(node, 'statement');
    if (operation.run !== undefined) return operation.run;
    throw new FilterProblemError(
      `the result of ${node.name} is not used; write [name] := ${node.name}(...)`,
      node.offset,
    );
  }

  compileWriter({ property, offset }: PropertyNode): PropertyWriter {
    const writer = propertyWriter(property);
    if (typeof writer === 'string') throw new FilterProblemError(writer, offset);
    this.facts.writes(writer.name);
    return writer;
  }

  compileCall(node: CallNode, use: CallUse): FilterOperation {
    const found = functionNamed(node);
    checkArguments(node, found);
    this.facts.calls(found.name);
    const [first] = node.values;
    if (found.name === 'lookup' && first?.kind === 'text') this.facts.looksUp(first.text);
    return found.compile(new CompiledCall(node, this, use));
  }
}

/** The records of a batch share the resource. */
function oncePerResource(matches: Matches): Matches {
  let known: Resource | undefined;
  let result = false;
  return (run) => {
    const { resource } = run.record;
    if (resource !== known) {
      result = matches(run);
      known = resource;
    }
    return result;
  };
}

function both(rest: Matches, first: Matches): Matches {
  return (run) => first(run) && rest(run);
}

function either(rest: Matches, first: Matches): Matches {
  return (run) => first(run) || rest(run);
}

/** A value is true if there is one, unless it is `false`. */
function asCondition(operation: FilterOperation): Matches {
  if (operation.kind === 'extract') return operation.run;
  const { read, run: condition } = operation;
  if (condition !== undefined) return condition;
  return (run) => {
    const value = read(run);
    return value !== undefined && value !== null && value !== false;
  };
}

function functionNamed({ name, offset }: CallNode): FilterFunction {
  const found = FILTER_FUNCTIONS.get(name);
  if (found !== undefined) return found;
  if (name === 'route' || name === 'router') throw new FilterProblemError('route is a statement', offset);
  const names = [...FILTER_FUNCTIONS.keys()];
  const near = nearestName(name, [...names, 'route']);
  const hint = near === undefined ? `; there are ${names.join(', ')}` : `; did you mean ${near}?`;
  throw new FilterProblemError(`there is no function ${name}${hint}`, offset);
}

function checkArguments(node: CallNode, { name, usage, values: [min, max], named }: FilterFunction): void {
  const count = node.values.length;
  if (count < min || count > max)
    throw new FilterProblemError(`wrong number of arguments of ${name}; write ${usage}`, node.offset);
  for (const [at, argument] of node.named.entries()) {
    if (!named.includes(argument.name)) {
      const near = nearestName(argument.name, named);
      const hint = near === undefined ? `; write ${usage}` : `; did you mean ${near}?`;
      throw new FilterProblemError(`${name} has no argument ${argument.name}${hint}`, argument.offset);
    }
    if (node.named.findIndex((each) => each.name === argument.name) !== at)
      throw new FilterProblemError(`${argument.name} is given twice`, argument.offset);
  }
}
