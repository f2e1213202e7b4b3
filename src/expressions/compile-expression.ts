import { storable } from '../formats/record-columns.ts';
import type { AttributeValue, LogRecord, ParsedRecord } from '../records/log-record.ts';
import type { RecordContext } from '../records/record-context.ts';
import type { Expression, NumberTest, TextTest, ValueTest } from './expression.ts';
import type { Property } from './property.ts';
import { attributeReader, columnReader, type RecordOrigin } from './record-reader.ts';

/**
 * An expression as a function: one closure for each node, and no object for an evaluation. It selects the
 * records that `expressionSql` selects.
 */
export function compileExpression(expression: Expression): (record: LogRecord) => boolean {
  const matches = compile(expression);
  return (record) => matches(record, record);
}

/**
 * The same for a record that has no stream and position yet, such as the input of a packer: these have no
 * value.
 */
export function compilePredicate(
  expression: Expression,
): (record: ParsedRecord, context: RecordContext) => boolean {
  return compile(expression);
}

type Matches = (record: ParsedRecord, origin: RecordOrigin) => boolean;
type Matcher<Value> = (value: Value) => boolean;

function compile(expression: Expression): Matches {
  switch (expression.kind) {
    case 'and':
      return expression.terms.map(compile).reduceRight(both);
    case 'or':
      return expression.terms.map(compile).reduceRight(either);
    case 'not': {
      const term = compile(expression.term);
      return (record, origin) => !term(record, origin);
    }
    case 'constant': {
      const { value } = expression;
      return () => value;
    }
    case 'exists':
      return compileTest(expression.property, EXISTS);
    case 'test':
      return compileTest(expression.property, matchersOf(expression.test));
  }
}

function both(rest: Matches, first: Matches): Matches {
  return (record, origin) => first(record, origin) && rest(record, origin);
}

function either(rest: Matches, first: Matches): Matches {
  return (record, origin) => first(record, origin) || rest(record, origin);
}

interface Matchers {
  readonly text: Matcher<string>;
  readonly number: Matcher<number>;
  readonly time: Matcher<number>;
  readonly value: Matcher<AttributeValue>;
}

const always = () => true;
const never = () => false;

const EXISTS: Matchers = {
  text: always,
  number: always,
  time: always,
  value: (value) => value !== null,
};

function compileTest(property: Property, matchers: Matchers): Matches {
  if (property.kind === 'section') return compileSection(property.of, matchers);
  if (property.kind === 'attribute' && property.isResource === true) {
    const { key } = property;
    return (_, { resource }) => {
      const value = resource.get(key);
      return value !== undefined && matchers.value(value);
    };
  }
  const read = attributeReader(property, matchers.value);
  if (property.kind === 'attribute') return read;
  const column = columnReader(property);
  const { type } = property;
  const isTime = type === 'time';
  return (record, origin) => {
    const value = column(record, origin);
    if (
      typeof value === 'string'
        ? matchers.text(value)
        : value !== undefined && (isTime ? matchers.time : matchers.number)(value)
    ) {
      return true;
    }
    return read(record, origin);
  };
}

/** The text between the first and the second slash, of each value that is a text. */
function compileSection(of: Property, matchers: Matchers): Matches {
  const section = (text: string) => matchers.text(text.split('/', 2)[1] ?? '');
  const single: Matcher<AttributeValue> = (each) => typeof each === 'string' && section(each);
  const value: Matcher<AttributeValue> = (each) => anyOf(each, single);
  return compileTest(of, { text: section, number: never, time: never, value });
}

function matchersOf(test: ValueTest): Matchers {
  const onText = test.text === undefined ? never : textMatcher(test.text);
  const onDecimal = test.decimal === undefined ? undefined : numberMatcher(test.decimal);
  const text = (value: string) =>
    onText(value) || (onDecimal !== undefined && DECIMAL.test(value) && onDecimal(Number(value)));
  const onDigits = test.digits === undefined ? undefined : textMatcher(test.digits);
  const onNumber = test.number === undefined ? never : numberMatcher(test.number);
  const number = (value: number) =>
    onNumber(value) || (onDigits !== undefined && isShownInDigits(value) && onDigits(String(value)));
  const single = (value: AttributeValue): boolean => {
    if (typeof value === 'string') return text(value);
    if (typeof value === 'number') return number(value);
    return typeof value === 'boolean' && onText(String(value));
  };
  return {
    text,
    number,
    time: test.time === undefined ? never : numberMatcher(test.time),
    value: (value) => anyOf(value, single),
  };
}

/** A list passes if any of its elements does. */
function anyOf(value: AttributeValue, single: Matcher<AttributeValue>): boolean {
  return Array.isArray(value) ? (value as readonly AttributeValue[]).some(single) : single(value);
}

/** As `DECIMAL_TEXT` of the stores. */
const DECIMAL = /^-?[0-9]{1,250}(?:[.][0-9]{1,250})?$/;

/** Databases write smaller and greater numbers differently. */
function isShownInDigits(value: number): boolean {
  const size = Math.abs(value);
  return size === 0 || (size >= 1e-6 && size < 1e21);
}

function numberMatcher(ranges: NumberTest): Matcher<number> {
  const matchers = ranges.map(({ min, max, isMinExcluded, isMaxExcluded }): Matcher<number> => {
    const low = min ?? Number.NEGATIVE_INFINITY;
    const high = max ?? Number.POSITIVE_INFINITY;
    if (isMinExcluded) return (value) => value > low && value <= high;
    if (isMaxExcluded) return (value) => value >= low && value < high;
    return (value) => value >= low && value <= high;
  });
  const [only] = matchers;
  if (matchers.length === 1 && only !== undefined) return only;
  return (value) => matchers.some((matches) => matches(value));
}

function textMatcher(test: TextTest): Matcher<string> {
  switch (test.kind) {
    case 'equals':
      return equalsMatcher(test.texts);
    case 'compare':
      return compareMatcher(test);
    case 'contains':
      return stored((value) => value.includes(test.text));
    case 'starts_with':
      return stored((value) => value.startsWith(test.text));
    case 'ends_with':
      return stored((value) => value.endsWith(test.text));
    case 'matches':
      return stored((value) => test.pattern.test(value));
  }
}

function equalsMatcher(texts: readonly string[]): Matcher<string> {
  const [only] = texts;
  if (texts.length === 1 && only !== undefined) return stored((value) => value === only);
  const set = new Set(texts);
  return stored((value) => set.has(value));
}

function compareMatcher({ operator, text }: Extract<TextTest, { kind: 'compare' }>): Matcher<string> {
  const other = Buffer.from(text);
  return stored((value) => {
    const order = Buffer.compare(Buffer.from(value), other);
    switch (operator) {
      case '<':
        return order < 0;
      case '<=':
        return order <= 0;
      case '>':
        return order > 0;
      case '>=':
        return order >= 0;
    }
  });
}

/** Tests a text in the form that it has in a store. */
function stored(matches: Matcher<string>): Matcher<string> {
  return (value) => matches(storable(value));
}
