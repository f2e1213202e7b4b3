import type { CompiledPattern, PatternMatch } from '../../patterns/compile-pattern.ts';
import type { PatternField } from '../../patterns/pattern-node.ts';
import type { AttributeValue } from '../../records/log-record.ts';
import type { FilterRun } from '../filter-run.ts';
import {
  type FilterCall,
  type FilterFunction,
  type FilterOperation,
  FROM,
  PREFIX,
} from './filter-function.ts';

export const grok: FilterFunction = {
  name: 'grok',
  usage: 'grok("NAME" or "%{NAME:field} ...", ..., from = VALUE, prefix = "p.", name_to = "grok_pattern")',
  values: [1, 100],
  named: [FROM, PREFIX, 'name_to'],
  compile: (call) => {
    const patterns = Array.from({ length: call.count }, (_, index) => ({
      name: call.text(index, 'a pattern'),
      pattern: call.grokPattern(index),
    }));
    return extraction(call, patterns);
  },
};

export const regex: FilterFunction = {
  name: 'regex',
  usage: String.raw`regex("user=(?<user.name>\S+)", ..., from = VALUE, prefix = "p.", ignore_case = true)`,
  values: [1, 100],
  named: [FROM, PREFIX, 'ignore_case'],
  compile: (call) => {
    const flags = call.namedFlag('ignore_case') ? 'i' : '';
    const patterns = Array.from({ length: call.count }, (_, index) => ({
      name: '',
      pattern: call.pattern(index, flags),
    }));
    return extraction(call, patterns);
  },
};

interface NamedPattern {
  readonly name: string;
  readonly pattern: CompiledPattern;
}

/** The first pattern that matches adds its fields to the record. */
function extraction(call: FilterCall, patterns: readonly NamedPattern[]): FilterOperation {
  const prefix = call.namedText(PREFIX) ?? '';
  const nameTo = call.namedText('name_to');
  const source = call.source();
  for (const { pattern } of patterns) for (const { name } of pattern.fields) call.writes(prefix + name);
  if (nameTo !== undefined) call.writes(nameTo);
  const tries = patterns.map(({ name, pattern }) => ({
    name,
    pattern,
    fields: pattern.fields.map((field) => ({ name: prefix + field.name, type: field.type })),
  }));
  const run = (state: FilterRun): boolean => {
    const text = source(state);
    if (text === undefined) return false;
    for (let at = 0; at < tries.length; at++) {
      const each = tries[at];
      const match = each?.pattern.exec(text);
      if (each === undefined || match === undefined) continue;
      addFields(state, match, each.fields);
      if (nameTo !== undefined) state.change().attributes.set(nameTo, each.name);
      return true;
    }
    return false;
  };
  return { kind: 'extract', run };
}

function addFields(run: FilterRun, { values }: PatternMatch, fields: readonly PatternField[]): void {
  if (fields.length === 0) return;
  const { attributes } = run.change();
  for (let at = 0; at < fields.length; at++) {
    const value = values[at];
    const field = fields[at];
    if (value !== undefined && field !== undefined) attributes.set(field.name, converted(value, field.type));
  }
}

/** A text that is not of its type remains a text. */
function converted(text: string, type: PatternField['type']): AttributeValue {
  switch (type) {
    case 'text':
      return text;
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : text;
    case 'int':
    case 'float': {
      const number = Number(text);
      if (text === '' || !Number.isFinite(number)) return text;
      return type === 'int' && !Number.isSafeInteger(number) ? text : number;
    }
  }
}
