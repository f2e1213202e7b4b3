import { listedProperty, readableProperty } from './property-name.ts';
import { unquoted } from './query-filter.ts';
import { type Token, tokensOf } from './tokens.ts';

export type CompletionKind = 'property' | 'operator' | 'value' | 'connective';

/** The kind of word that is expected at a place of a query. */
export interface CompletionPlace {
  readonly kind: CompletionKind;
  /** The part of the query that a choice replaces. */
  readonly from: number;
  readonly to: number;
  readonly prefix: string;
  /** Of a value. */
  readonly property?: string;
}

const OPERATORS = [
  '==',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  'contains',
  'contains*',
  'starts_with',
  'ends_with',
  'in',
  '~',
];
const CONNECTIVES = ['and', 'or'];

export function placeAt(query: string, cursor: number): CompletionPlace {
  const tokens = tokensOf(query.slice(0, cursor));
  const last = tokens.at(-1);
  const isInside =
    last !== undefined &&
    last.end === cursor &&
    (last.kind === 'word' || last.kind === 'string' || /^[a-z]/i.test(last.text));
  const before = isInside ? tokens.slice(0, -1) : tokens;
  const end = isInside ? wordEnd(query, last) : cursor;
  const range = isInside ? { from: last.start, to: end } : { from: cursor, to: cursor };
  const prefix = isInside ? (last.kind === 'string' ? unquoted(last.text) : last.text) : '';
  return { ...range, prefix, ...kindAfter(before) };
}

/** The rest of a word after the cursor is replaced too. */
function wordEnd(query: string, token: Token): number {
  const whole = tokensOf(query).find(({ start }) => start === token.start);
  return Math.max(whole?.end ?? token.end, token.end);
}

function kindAfter(before: readonly Token[]): Pick<CompletionPlace, 'kind' | 'property'> {
  const last = before.at(-1);
  const previous = before.at(-2);
  if (last === undefined || last.kind === 'connective' || last.text === 'exists') return { kind: 'property' };
  if (last.kind === 'open' || last.kind === 'comma') {
    const name = propertyOfList(before);
    return name === undefined ? { kind: 'property' } : { kind: 'value', property: name };
  }
  if (last.kind === 'operator') {
    const name = before.findLast(({ kind }) => kind === 'word')?.text;
    return name === undefined ? { kind: 'property' } : { kind: 'value', property: name };
  }
  if (last.kind === 'word' && previous?.kind !== 'operator') return { kind: 'operator' };
  return { kind: 'connective' };
}

/** `status in (200, ` -> `status` */
function propertyOfList(before: readonly Token[]): string | undefined {
  const open = before.findLastIndex(({ kind }) => kind === 'open');
  const operator = before[open - 1];
  return operator?.text === 'in'
    ? before.slice(0, open).findLast(({ kind }) => kind === 'word')?.text
    : undefined;
}

export interface Choice {
  /** What is inserted. */
  readonly text: string;
  readonly detail: string;
}

export interface KnownField {
  readonly name: string;
  readonly type: string;
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

const MAX_CHOICES = 12;

/** Choices for the place, the best first: those that begin with the prefix before those that contain it. */
export function choicesFor(place: CompletionPlace, fields: readonly KnownField[]): readonly Choice[] {
  const wanted = place.prefix.toLowerCase();
  const ranked = allChoices(place, fields)
    .map((choice) => ({ choice, at: choice.match.toLowerCase().indexOf(wanted) }))
    .filter(({ choice, at }) => at !== -1 && choice.text !== place.prefix);
  return ranked
    .toSorted((a, b) => Number(a.at > 0) - Number(b.at > 0))
    .slice(0, MAX_CHOICES)
    .map(({ choice: { text, detail } }) => ({ text, detail }));
}

function allChoices(
  place: CompletionPlace,
  fields: readonly KnownField[],
): readonly (Choice & { readonly match: string })[] {
  const plain = (texts: readonly string[]) => texts.map((text) => ({ text, detail: '', match: text }));
  if (place.kind === 'operator') return plain(OPERATORS);
  if (place.kind === 'connective') return plain(CONNECTIVES);
  if (place.kind === 'property')
    return fields.map(({ name, type }) => ({ text: name, detail: type, match: name }));
  const field = fieldOf(place.property ?? '', fields);
  return (field?.values ?? []).map(({ value, count }) => ({
    text: valueLiteral(value, field?.type ?? 'text'),
    detail: String(count),
    match: value,
  }));
}

/** A record may have an attribute with the short name of another one. */
function fieldOf(property: string, fields: readonly KnownField[]): KnownField | undefined {
  const listed = listedProperty(property);
  return (
    fields.find(({ name }) => name === property) ??
    fields.find(({ name }) => name === listed || readableProperty(name) === readableProperty(property))
  );
}

/** Numbers, booleans and severities need no quotes. */
function valueLiteral(value: string, type: string): string {
  const isPlain =
    (type === 'number' && /^-?\d+(?:\.\d+)?$/.test(value)) ||
    (type === 'boolean' && /^(?:true|false)$/.test(value));
  return isPlain || /^(?:trace|debug|info|warn|error|fatal)$/.test(value) ? value : JSON.stringify(value);
}

/** The query with the choice, and the place after it. */
export function withChoice(
  query: string,
  place: CompletionPlace,
  choice: Choice,
): { readonly query: string; readonly cursor: number } {
  const after = query.slice(place.to);
  const text = `${choice.text}${after.startsWith(' ') ? '' : ' '}`;
  const needsSpace = place.from > 0 && !/[\s(]/.test(query[place.from - 1] ?? '');
  const before = query.slice(0, place.from) + (needsSpace ? ' ' : '');
  return { query: before + text + after, cursor: before.length + text.length };
}
