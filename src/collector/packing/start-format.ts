import { facilityCodeOf, severityCodeOf } from '../../protocols/syslog/codes.ts';
import { dateTimeEnd } from './date-time-at.ts';

/**
 * The beginning of a message, in the notation of pyloggr: `$DATETIME $WORD [$INT]`.
 *
 *     $DATETIME   a date with a time, in the usual forms
 *     $WORD       characters without a blank
 *     $INT        digits
 *     $SEVERITY   the name of a severity: `error`, `WARN`
 *     $FACILITY   the name of a syslog facility: `daemon`, `local0`
 *     $APP_NAME   letters, digits, and `. _ - /`
 *     $MESSAGE    the rest; only at the end
 *     $$          the character $
 *     a blank     one or more blanks or tabs
 *
 * Everything else is literal: there are no regular expressions. A format is matched in one pass, without trying again,
 * so its time is proportional to the text.
 */
export interface StartFormat {
  readonly source: string;
  /** Whether the text begins with the format. */
  matches(text: string): boolean;
}

export type StartFormatResult =
  | { readonly kind: 'format'; readonly format: StartFormat }
  /** `reason`: the rest of a sentence. */
  | { readonly kind: 'invalid'; readonly reason: string };

export function compileStartFormat(source: string): StartFormatResult {
  const elements: Element[] = [];
  for (const [token] of source.matchAll(/\$\$|\$[A-Z_]*|[ \t]+|[^$ \t]+/g)) {
    const element = elementOf(token);
    if (element === undefined) return invalid(`does not know ${token}; known: ${PLACEHOLDERS.join(', ')}`);
    elements.push(element);
  }
  if (elements.length === 0) return invalid('is empty');
  if (elements.slice(0, -1).some(({ kind }) => kind === 'rest'))
    return invalid('has $MESSAGE before its end');
  return { kind: 'format', format: { source, matches: (text) => matches(elements, text) } };
}

/** The end of the match that begins at `from`; undefined when there is none. */
type End = (text: string, from: number, next: Element | undefined) => number | undefined;

interface Element {
  readonly kind: 'literal' | 'blank' | 'placeholder' | 'rest';
  /** Of a literal. */
  readonly text?: string;
  readonly end: End;
}

/** Levels of applications that syslog does not have. */
const OTHER_SEVERITIES = ['fatal', 'trace'];

const isSeverity = (name: string) =>
  severityCodeOf(name) !== undefined || OTHER_SEVERITIES.includes(name.toLowerCase());
const isFacility = (name: string) => facilityCodeOf(name) !== undefined;

const ENDS: ReadonlyMap<string, End> = new Map<string, End>([
  ['$DATETIME', dateTimeEnd],
  ['$WORD', wordEnd],
  ['$INT', (text, from) => matchEnd(/\d+/y, text, from)],
  ['$SEVERITY', nameEnd(/[A-Za-z]+/y, isSeverity)],
  ['$FACILITY', nameEnd(/[A-Za-z]+[0-7]?(?![A-Za-z0-9])/y, isFacility)],
  ['$APP_NAME', (text, from) => matchEnd(/[\w./-]+/y, text, from)],
]);

function nameEnd(word: RegExp, isName: (name: string) => boolean): End {
  return (text, from) => {
    const end = matchEnd(word, text, from);
    return end !== undefined && isName(text.slice(from, end)) ? end : undefined;
  };
}

const PLACEHOLDERS = [...ENDS.keys(), '$MESSAGE'];

function elementOf(token: string): Element | undefined {
  if (token === '$MESSAGE')
    return { kind: 'rest', end: ({ length }, from) => (from < length ? length : undefined) };
  if (token === '$$') return literal('$');
  if (token.startsWith('$')) {
    const end = ENDS.get(token);
    return end === undefined ? undefined : { kind: 'placeholder', end };
  }
  if (token.trim() === '') return { kind: 'blank', end: (text, from) => matchEnd(/[ \t]+/y, text, from) };
  return literal(token);
}

function literal(text: string): Element {
  return {
    kind: 'literal',
    text,
    end: (whole, from) => (whole.startsWith(text, from) ? from + text.length : undefined),
  };
}

function matches(elements: readonly Element[], text: string): boolean {
  let at = 0;
  for (const [index, element] of elements.entries()) {
    const end = element.end(text, at, elements[index + 1]);
    if (end === undefined) return false;
    at = end;
  }
  return true;
}

/** A word ends at a blank, or where the literal after it begins: `$WORD[$INT]` matches `sshd[1]`. */
function wordEnd(text: string, from: number, next: Element | undefined): number | undefined {
  const end = matchEnd(/[^\s]+/y, text, from);
  if (end === undefined || next?.text === undefined) return end;
  const at = text.indexOf(next.text, from + 1);
  return at < 0 || at > end ? end : at;
}

function matchEnd(expression: RegExp, text: string, from: number): number | undefined {
  expression.lastIndex = from;
  return expression.test(text) ? expression.lastIndex : undefined;
}

function invalid(reason: string): StartFormatResult {
  return { kind: 'invalid', reason };
}
