import { formats } from '../../formats/registry.ts';
import { nearestName } from '../../runtime/configuration/unknown-variables.ts';
import { FilterCursor } from './filter-cursor.ts';
import type { Expectation, FilterNode, StatementNode, TestNode, ValueNode } from './filter-node.ts';
import { parseCondition } from './parse-condition.ts';
import { looksAtCall, parseCall, parsePropertyNode, parseText, parseValue, textAt } from './parse-value.ts';

/**
 * Parses a filter: statements and tests.
 *
 *     statement   "if" condition block { "else" "if" condition block } [ "else" block ]
 *               | property ":=" value
 *               | "tags" ("+=" | "-=") value
 *               | "delete" property { "," property }       "rename" property "to" property
 *               | "drop" [ "if" condition ]                "stop" [ "if" condition ]
 *               | "route" "(" text { "," text } ")"        "split" property [ "by" text ]
 *               | call
 *     block       "{" { statement } "}" | "(" { statement } ")"
 *     value       part { "+" part }
 *     part        text | number | "true" | "false" | property | call
 *     call        name "(" [ argument { "," argument } ] ")"
 *     argument    value | name ("=" | ":") value
 *     test        "test" text "{" "given" format text [ "resource" "{" name "=" text { "," ... } "}" ]
 *                 { "expect" (condition | "dropped" | "route" "(" text ")") } "}"
 *
 * Throws FilterProblemError.
 */
export function parseFilter(text: string): FilterNode {
  const cursor = new FilterCursor(text);
  if (text.length > MAX_FILTER)
    throw cursor.problem(`a filter has at most ${MAX_FILTER} characters, got ${text.length}`);
  const statements: StatementNode[] = [];
  const tests: TestNode[] = [];
  while (!cursor.isAtEnd) {
    if (cursor.symbol(';')) continue;
    if (cursor.looksAt(TEST)) tests.push(parseTest(cursor));
    else statements.push(parseStatement(cursor));
  }
  return { statements, tests };
}

export const MAX_FILTER = 256 * 1024;

const TEST = /test\s*['"]/y;
const WORD = /[A-Za-z_]\w*/y;
const FORMAT = /[A-Za-z][A-Za-z0-9_-]*/y;
const KEYWORDS = ['if', 'else', 'drop', 'stop', 'delete', 'rename', 'split', 'route', 'tags', 'test'];

function parseStatement(cursor: FilterCursor): StatementNode {
  cursor.skip();
  const offset = cursor.at;
  if (cursor.word('if')) return parseIf(cursor, offset);
  if (cursor.looksAt(END)) {
    const kind = cursor.word('drop') ? 'drop' : 'stop';
    if (kind === 'stop') cursor.word('stop');
    return { kind, offset, condition: cursor.word('if') ? parseCondition(cursor) : undefined };
  }
  if (cursor.looksAt(DELETE) && cursor.word('delete')) return parseDelete(cursor, offset);
  if (cursor.looksAt(RENAME) && cursor.word('rename')) {
    const from = parsePropertyNode(cursor);
    if (!cursor.word('to')) throw cursor.expected('to and the new name');
    return { kind: 'rename', offset, from, to: parsePropertyNode(cursor) };
  }
  if (cursor.looksAt(SPLIT) && cursor.word('split')) {
    const property = parsePropertyNode(cursor);
    const separator = cursor.word('by') ? parseText(cursor, 'a separator').text : undefined;
    if (separator === '') throw cursor.problem('a separator has at least one character', offset);
    return { kind: 'split', offset, property, separator };
  }
  if (cursor.looksAt(TAGS) && cursor.word('tags')) {
    const isRemoval = cursor.symbol('-=');
    if (!isRemoval) cursor.expect('+=');
    return { kind: 'tags', offset, isRemoval, value: parseValue(cursor) };
  }
  if (cursor.looksAt(CALL)) return parseCallStatement(cursor, offset);
  return parseAssignment(cursor, offset);
}

const END = /(?:drop|stop)(?![\w.-])(?!\s*:=)/y;
const DELETE = /delete(?![\w.-])(?!\s*:=)/y;
const RENAME = /rename(?![\w.-])(?!\s*:=)/y;
const SPLIT = /split(?![\w.-])(?!\s*:=)/y;
const TAGS = /tags\s*[+-]=/y;
const CALL = /[A-Za-z_]\w*\s*[({]/y;

function parseIf(cursor: FilterCursor, offset: number): StatementNode {
  const branches = [{ condition: parseCondition(cursor), body: parseBlock(cursor) }];
  let otherwise: readonly StatementNode[] = [];
  while (cursor.word('else') || cursor.word('elif')) {
    const isElseIf = cursor.text.startsWith('elif', cursor.at - 4) || cursor.word('if');
    if (!isElseIf) {
      otherwise = parseBlock(cursor);
      break;
    }
    branches.push({ condition: parseCondition(cursor), body: parseBlock(cursor) });
  }
  return { kind: 'if', offset, branches, otherwise };
}

/** In braces, or in parentheses as in pyloggr. The closing one must fit. */
function parseBlock(cursor: FilterCursor): readonly StatementNode[] {
  const close = cursor.symbol('{') ? '}' : ')';
  if (close === ')' && !cursor.symbol('(')) throw cursor.expected('{');
  return cursor.nested(() => {
    const statements: StatementNode[] = [];
    while (!cursor.symbol(close)) {
      if (cursor.isAtEnd) throw cursor.expected(close);
      if (!cursor.symbol(';')) statements.push(parseStatement(cursor));
    }
    return statements;
  });
}

function parseDelete(cursor: FilterCursor, offset: number): StatementNode {
  const properties = [parsePropertyNode(cursor)];
  while (cursor.symbol(',')) properties.push(parsePropertyNode(cursor));
  return { kind: 'delete', offset, properties };
}

function parseCallStatement(cursor: FilterCursor, offset: number): StatementNode {
  const call = parseCall(cursor);
  if (call.name !== 'route' && call.name !== 'router') return { kind: 'call', offset, call };
  const [named] = call.named;
  if (named !== undefined) throw cursor.problem(`route has no argument ${named.name}`, named.offset);
  const emitters = call.values.map((value) => constantText(cursor, value, 'the name of an emitter'));
  if (emitters.length === 0) throw cursor.problem('expected the name of an emitter in route(...)', offset);
  const invalid = call.values.find((value) => value.kind === 'text' && !EMITTER.test(value.text));
  if (invalid !== undefined)
    throw cursor.problem(
      'the name of an emitter has 1 to 63 letters, digits, dots, underscores and hyphens',
      invalid.offset,
    );
  return { kind: 'route', offset, emitters };
}

/** As in `emitters/configuration.ts`. */
const EMITTER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

function constantText(cursor: FilterCursor, value: ValueNode, what: string): string {
  if (value.kind !== 'text') throw cursor.problem(`expected ${what} in quotes`, value.offset);
  return value.text;
}

function parseAssignment(cursor: FilterCursor, offset: number): StatementNode {
  const word = cursor.match(WORD)?.[0];
  cursor.at = offset;
  const near = word === undefined ? undefined : nearestName(word, KEYWORDS);
  const hint = near === undefined || near === word ? '' : `; did you mean ${near}?`;
  if (word === undefined && !cursor.looksAt(/\[|[\p{L}_@$]/uy)) throw cursor.expected('a statement');
  const target = parsePropertyNode(cursor);
  if (!cursor.symbol(':=')) {
    const { message } = cursor.expected(`:= after ${target.name}`);
    throw cursor.problem(`${message}${hint}`, hint === '' ? cursor.at : offset);
  }
  return { kind: 'assign', offset, target, value: parseValue(cursor) };
}

function parseTest(cursor: FilterCursor): TestNode {
  const offset = cursor.at;
  cursor.word('test');
  const { text: name } = parseText(cursor, 'the name of the test');
  cursor.expect('{');
  if (!cursor.word('given')) throw cursor.expected('given, a format and a line in quotes');
  const format = parseFormat(cursor);
  const { text: line } = parseText(cursor, 'a line');
  const resource = cursor.word('resource') ? parseResource(cursor) : new Map<string, string>();
  const expectations: Expectation[] = [];
  while (!cursor.symbol('}')) {
    if (!cursor.word('expect')) throw cursor.expected(expectations.length === 0 ? 'expect' : 'expect or }');
    expectations.push(parseExpectation(cursor));
  }
  if (expectations.length === 0) throw cursor.problem('a test has at least one expect', offset);
  return { name, offset, format, line, resource, expectations };
}

function parseFormat(cursor: FilterCursor): string {
  cursor.skip();
  const offset = cursor.at;
  const name = cursor.match(FORMAT)?.[0] ?? '';
  const names = formats.map((each) => each.name);
  if (names.includes(name)) return name;
  const near = nearestName(name, names);
  const hint = near === undefined ? `: ${names.join(', ')}` : `; did you mean ${near}?`;
  throw cursor.problem(`expected a format${hint}`, offset);
}

function parseResource(cursor: FilterCursor): ReadonlyMap<string, string> {
  cursor.expect('{');
  const resource = new Map<string, string>();
  while (!cursor.symbol('}')) {
    if (resource.size > 0) cursor.symbol(',');
    const name = textAt(cursor)?.text ?? cursor.match(/[\w.-]+/y)?.[0];
    if (name === undefined) throw cursor.expected('the name of an attribute of the resource, or }');
    cursor.expect('=');
    resource.set(name, parseText(cursor, 'a value').text);
  }
  return resource;
}

function parseExpectation(cursor: FilterCursor): Expectation {
  cursor.skip();
  const offset = cursor.at;
  if (cursor.word('dropped')) return { kind: 'dropped', offset };
  if (cursor.looksAt(/route\s*\(/y) && looksAtCall(cursor)) {
    const { values } = parseCall(cursor);
    const emitters = values.map((value) => constantText(cursor, value, 'the name of an emitter'));
    return { kind: 'route', offset, emitters };
  }
  return { kind: 'condition', offset, condition: parseCondition(cursor) };
}
