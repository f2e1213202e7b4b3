import { tokensOf } from './tokens.ts';

export type FieldValue = string | number | boolean | null;

export interface Condition {
  /** As in an expression: `url.path`, `['any name']`. */
  readonly property: string;
  readonly value: FieldValue;
  readonly isExcluded: boolean;
}

const NUMBER = /^-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?$/;

/** `status_code == 500`, `url.path != "/a b"`, `not exists user.name` */
export function conditionText({ property, value, isExcluded }: Condition): string {
  if (value === null) return isExcluded ? `exists ${property}` : `not exists ${property}`;
  return `${property} ${isExcluded ? '!=' : '=='} ${literalOf(value)}`;
}

function literalOf(value: string | number | boolean): string {
  if (typeof value === 'number' && NUMBER.test(String(value))) return String(value);
  return typeof value === 'boolean' ? String(value) : JSON.stringify(String(value));
}

interface Part {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The parts of a query that are joined by `and` at the top. A query with `or` at the top is one part. */
export function partsOf(query: string): readonly Part[] {
  const tokens = tokensOf(query);
  let depth = 0;
  const joints: (readonly [number, number])[] = [];
  for (const { kind, text, start, end } of tokens) {
    if (kind === 'open') depth++;
    if (kind === 'close') depth--;
    if (depth > 0 || kind !== 'connective') continue;
    if (isOr(text)) return [partOf(query, 0, query.length)];
    if (isAnd(text)) joints.push([start, end]);
  }
  const starts = [0, ...joints.map(([, end]) => end)];
  const ends = [...joints.map(([start]) => start), query.length];
  return starts
    .map((start, at) => partOf(query, start, ends[at] ?? query.length))
    .filter(({ text }) => text !== '');
}

const isOr = (text: string) => text === '||' || text.toLowerCase() === 'or';
const isAnd = (text: string) => text === '&&' || text.toLowerCase() === 'and';

function partOf(query: string, start: number, end: number): Part {
  const text = query.slice(start, end);
  const first = start + (text.length - text.trimStart().length);
  return { text: text.trim(), start: first, end: first + text.trim().length };
}

/** Spaces and the two forms of `==` do not matter. */
function normal(text: string): string {
  return tokensOf(text)
    .map((token) => (token.text === '=' ? '==' : token.text))
    .join(' ');
}

export function hasCondition(query: string, condition: Condition): boolean {
  const wanted = normal(conditionText(condition));
  return partsOf(query).some(({ text }) => normal(text) === wanted);
}

/** Adds the condition; its opposite is removed. If it is there already, it is removed: a second click takes it back. */
export function toggleCondition(query: string, condition: Condition): string {
  if (hasCondition(query, condition)) return withoutPart(query, conditionText(condition));
  const opposite = conditionText({ ...condition, isExcluded: !condition.isExcluded });
  return withPart(withoutPart(query, opposite), conditionText(condition));
}

function withoutPart(query: string, part: string): string {
  const unwanted = normal(part);
  const parts = partsOf(query);
  if (!parts.some(({ text }) => normal(text) === unwanted)) return query;
  return parts
    .map(({ text }) => text)
    .filter((text) => normal(text) !== unwanted)
    .join(' and ');
}

export function withPart(query: string, part: string): string {
  if (query.trim() === '') return part;
  const isAlternative = partsOf(query).length === 1 && tokensOf(query).some(isTopOr);
  return isAlternative ? `(${query.trim()}) and ${part}` : `${query.trim()} and ${part}`;
}

function isTopOr(
  token: { readonly kind: string; readonly text: string },
  at: number,
  all: readonly { readonly kind: string }[],
): boolean {
  const before = all.slice(0, at);
  const depth =
    before.filter(({ kind }) => kind === 'open').length -
    before.filter(({ kind }) => kind === 'close').length;
  return depth === 0 && token.kind === 'connective' && isOr(token.text);
}
