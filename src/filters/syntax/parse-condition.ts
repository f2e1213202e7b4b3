import type { Expression, TextTest } from '../../expressions/expression.ts';
import { parseTermAt } from '../../expressions/parse-expression.ts';
import { parseProperty } from '../../expressions/property.ts';
import { FACILITY_NAMES } from '../../protocols/syslog/codes.ts';
import { FilterProblemError } from '../filter-problem.ts';
import type { FilterCursor } from './filter-cursor.ts';
import type { ConditionNode } from './filter-node.ts';
import { located, looksAtCall, parseCall, parsePropertyNode, parseValue } from './parse-value.ts';
import { FACILITY, FACILITY_CODE, PYLOGGR_NAMES } from './pyloggr-names.ts';

const MAX_TERMS = 200;
const MEMBER =
  /(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*))\s+(not\s*in|in)\s+(tags|custom_fields)\b/sy;
const QUOTED_EQUAL = /(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s*(?:==|!=|\+)/sy;
const EQUAL = /(==|!=)/y;

/**
 * A condition: the tests of expressions, calls of functions, comparisons of two values, and `and`, `or`, `not`
 * and parentheses. Throws FilterProblemError.
 */
export function parseCondition(cursor: FilterCursor): ConditionNode {
  return cursor.nested(() => {
    const terms = [parseAnd(cursor)];
    while (cursor.word('or') || cursor.symbol('||')) terms.push(parseAnd(cursor));
    return combined('or', terms, cursor);
  });
}

function parseAnd(cursor: FilterCursor): ConditionNode {
  const terms = [parseNot(cursor)];
  while (cursor.word('and') || cursor.symbol('&&')) terms.push(parseNot(cursor));
  return combined('and', terms, cursor);
}

function combined(kind: 'and' | 'or', terms: readonly ConditionNode[], cursor: FilterCursor): ConditionNode {
  if (terms.length > MAX_TERMS) throw cursor.problem(`a condition has at most ${MAX_TERMS} terms`);
  const [only] = terms;
  return terms.length === 1 && only !== undefined ? only : { kind, terms };
}

function parseNot(cursor: FilterCursor): ConditionNode {
  if (cursor.word('not')) return { kind: 'not', term: cursor.nested(() => parseNot(cursor)) };
  if (cursor.symbol('(')) {
    const inner = parseCondition(cursor);
    cursor.expect(')');
    return inner;
  }
  return parseTerm(cursor);
}

function parseTerm(cursor: FilterCursor): ConditionNode {
  if (looksAtCall(cursor)) return parseCallTerm(cursor);
  if (cursor.looksAt(QUOTED_EQUAL)) return parseEqual(cursor);
  const member = parseMember(cursor);
  if (member !== undefined) return member;
  const begin = cursor.at;
  if (comparesValues(cursor)) {
    cursor.at = begin;
    return parseEqual(cursor);
  }
  cursor.at = begin;
  const { value, end } = located(() => parseTermAt(cursor.text, begin, PYLOGGR_NAMES), cursor);
  cursor.at = end;
  if (!cursor.looksAt(/\+/y))
    return { kind: 'expression', offset: begin, expression: withFacilityNames(value) };
  cursor.at = begin;
  return parseEqual(cursor);
}

function parseCallTerm(cursor: FilterCursor): ConditionNode {
  const begin = cursor.at;
  const call = parseCall(cursor);
  if (!cursor.looksAt(EQUAL)) return { kind: 'call', call };
  cursor.at = begin;
  return parseEqual(cursor);
}

function parseEqual(cursor: FilterCursor): ConditionNode {
  const left = parseValue(cursor);
  const operator = cursor.match(EQUAL)?.[1];
  if (operator === undefined) throw cursor.expected('== or !=');
  return { kind: 'equal', isNegated: operator === '!=', left, right: parseValue(cursor) };
}

/** Whether a property is compared with another property in brackets, or with a call. */
function comparesValues(cursor: FilterCursor): boolean {
  try {
    parsePropertyNode(cursor);
  } catch (error) {
    if (error instanceof FilterProblemError) return false;
    throw error;
  }
  if (cursor.match(EQUAL) === undefined) return false;
  return cursor.looksAt(/\[/y) || looksAtCall(cursor);
}

/** `"name" in tags`, `name in custom_fields`. */
function parseMember(cursor: FilterCursor): ConditionNode | undefined {
  cursor.skip();
  const offset = cursor.at;
  const found = cursor.match(MEMBER);
  if (found === undefined) return undefined;
  const [, single, double, bare, operator = '', set] = found;
  const name = single ?? double ?? bare ?? '';
  const property = parseProperty(set === 'tags' ? 'attributes.tags' : `[${JSON.stringify(name)}]`);
  const expression: Expression =
    set === 'tags'
      ? { kind: 'test', property, test: { text: { kind: 'equals', texts: [name] } } }
      : { kind: 'exists', property };
  const node: ConditionNode = { kind: 'expression', offset, expression };
  return operator === 'in' ? node : { kind: 'not', term: node };
}

/**
 * Syslog's facility is a number in a record. A test of `facility` also tests the names of the codes: it means
 * the attribute `facility` or a code whose name passes the test.
 */
function withFacilityNames(expression: Expression): Expression {
  if (expression.kind === 'not') return { kind: 'not', term: withFacilityNames(expression.term) };
  if (expression.kind !== 'test' && expression.kind !== 'exists') return expression;
  if (expression.property.name !== FACILITY) return expression;
  const property = parseProperty(FACILITY_CODE);
  if (expression.kind === 'exists') return { kind: 'or', terms: [expression, { kind: 'exists', property }] };
  const { text, number } = expression.test;
  const codes = FACILITY_NAMES.flatMap((name, code) =>
    text !== undefined && passes(text, name) ? [{ min: code, max: code }] : [],
  );
  const test = { number: [...codes, ...(number ?? [])] };
  return { kind: 'or', terms: [expression, { kind: 'test', property, test }] };
}

function passes(test: TextTest, text: string): boolean {
  switch (test.kind) {
    case 'equals':
      return test.texts.includes(text);
    case 'compare':
      return false;
    case 'contains':
      return text.includes(test.text);
    case 'starts_with':
      return text.startsWith(test.text);
    case 'ends_with':
      return text.endsWith(test.text);
    case 'matches':
      return test.pattern.test(text);
  }
}
