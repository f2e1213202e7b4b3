import { storable } from '../formats/record-columns.ts';
import { severityOfName } from '../formats/severity.ts';
import { compilePattern } from '../patterns/compile-pattern.ts';
import type { NumberRange, NumberTest, Ordering, TextTest, ValueTest } from './expression.ts';
import { isTimeText, momentMicro } from './moment.ts';
import { NetworkError, networksPattern } from './network-pattern.ts';
import type { Property } from './property.ts';

/** A literal in an expression. */
export type Literal =
  /** `isBare`: without quotes. */
  | { readonly kind: 'text'; readonly text: string; readonly isBare?: true }
  | { readonly kind: 'number'; readonly number: number; readonly text: string };

/** The literal does not fit the property. `message`: the expected form, for a person. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}

/** `== literal`, `in (literal, ...)`. Throws ValueError. */
export function equalTo(property: Property, literals: readonly Literal[]): ValueTest {
  const type = typeOf(property);
  const texts = literals.map(({ text }) => storable(text));
  if (type === 'severity') {
    return { number: literals.map(severityRange), text: equalTexts(texts) };
  }
  if (type === 'time') return { time: literals.map((each) => exactly(timeOf(each))) };
  if (type === 'uuid')
    return { text: equalTexts(texts.map((text) => text.replaceAll('-', '').toLowerCase())) };
  const numbers = literals.flatMap((each) => (each.kind === 'number' ? [exactly(each.number)] : []));
  // A text equals a number that is shown as this text.
  const shown = literals.flatMap(({ text }) =>
    String(Number(text)) === text ? [exactly(Number(text))] : [],
  );
  return {
    text: equalTexts(texts),
    number: [...numbers, ...shown],
    decimal: numbers.length === 0 ? undefined : numbers,
  };
}

/** `< literal`, ... Throws ValueError. */
export function comparedWith(property: Property, operator: Ordering, literal: Literal): ValueTest {
  const type = typeOf(property);
  if (type === 'severity') return { number: [severityBound(operator, literal)] };
  if (type === 'time') return { time: [bounded(operator, timeOf(literal))] };
  if (literal.kind === 'number') {
    const range = [bounded(operator, literal.number)];
    return { number: range, decimal: range };
  }
  if (type === 'number') throw new ValueError(`${property.name} is a number; write a number such as 500`);
  if (type === 'uuid') throw new ValueError(`${property.name} can only be compared with == and !=`);
  return { text: { kind: 'compare', operator, text: storable(literal.text) } };
}

/** `in from..to`, with both ends. Throws ValueError. */
export function within(property: Property, from: Literal, to: Literal): ValueTest {
  const type = typeOf(property);
  if (type === 'severity') {
    return { number: [{ min: severityRange(from).min, max: severityRange(to).max }] };
  }
  if (type === 'time') return { time: [{ min: timeOf(from), max: timeOf(to) }] };
  if (from.kind !== 'number' || to.kind !== 'number') {
    throw new ValueError('expected numbers such as 500..599, or times for a property that is a time');
  }
  const range = [{ min: from.number, max: to.number }];
  return { number: range, decimal: range };
}

/** `contains`, `starts_with`, `ends_with`, `~`. Throws ValueError. */
export function textTest(property: Property, test: TextTest): ValueTest {
  const type = typeOf(property);
  if (type === 'severity') throw new ValueError(`write ${property.name} == "error", or >= for a minimum`);
  if (type === 'time')
    throw new ValueError(`${property.name} is a time; compare it with <, <=, >, >=, or in from..to`);
  return { text: test, digits: test };
}

export type TestedType = 'text' | 'number' | 'time' | 'uuid' | 'severity' | 'any';

export function typeOf(property: Property): TestedType {
  if (property.kind !== 'column') return property.kind === 'section' ? 'text' : 'any';
  return property.name === 'severity' ? 'severity' : property.type;
}

/** Networks: `10.0.0.0/8`, `2001:db8::/32`, one address, or several. Throws ValueError. */
export function inNetworks(property: Property, networks: readonly string[]): ValueTest {
  return textTest(property, { kind: 'matches', pattern: compilePattern(patternOf(networks), 'i') });
}

function patternOf(networks: readonly string[]): string {
  try {
    return networksPattern(networks);
  } catch (error) {
    if (error instanceof NetworkError) throw new ValueError(error.message);
    throw error;
  }
}

function equalTexts(texts: readonly string[]): TextTest {
  return { kind: 'equals', texts };
}

function exactly(number: number): NumberRange {
  return { min: number, max: number };
}

function bounded(operator: Ordering, number: number): NumberRange {
  switch (operator) {
    case '<':
      return { max: number, isMaxExcluded: true };
    case '<=':
      return { max: number };
    case '>':
      return { min: number, isMinExcluded: true };
    case '>=':
      return { min: number };
  }
}

/** `> error` means: more severe than all numbers of this name. */
function severityBound(operator: Ordering, literal: Literal): NumberRange {
  const { min, max } = severityRange(literal);
  const bound = operator === '>' || operator === '<=' ? max : min;
  return bounded(operator, bound ?? 0);
}

const NAMED_RANGES: ReadonlyMap<string, number> = new Map(
  ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((name, at) => [name, at * 4 + 1]),
);

export function severityRange(literal: Literal): NumberRange {
  if (literal.kind === 'number') return exactly(literal.number);
  const lowest = NAMED_RANGES.get(literal.text.toLowerCase());
  if (lowest !== undefined) return { min: lowest, max: lowest + 3 };
  const number = severityOfName(literal.text);
  if (number !== undefined) return exactly(number);
  throw new ValueError(
    `expected a severity (${[...NAMED_RANGES.keys()].join(', ')}) or its number, found ${JSON.stringify(literal.text)}`,
  );
}

function timeOf({ text }: Literal): number {
  if (isTimeText(text)) return momentMicro(text);
  throw new ValueError(
    `expected a time such as 2026-01-31T10:00:00Z or 2026-01-31, found ${JSON.stringify(text)}`,
  );
}

export type { NumberTest };
