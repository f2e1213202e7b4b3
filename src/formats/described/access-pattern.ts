import { apacheField, nginxField, type PutField } from './access-fields.ts';

/** One field of an access log line, and the text between it and the next one. */
export interface AccessPart {
  readonly put: PutField;
  /** The field is in double quotes and may contain escapes; the quotes are part of neither text. */
  readonly isQuoted: boolean;
  /** The field is Apache's `%t`, which has brackets around it. */
  readonly isBracketed: boolean;
  readonly after: string;
  /** The text that ends a field without quotes: `after`, and the quote of the next field. */
  readonly until: string;
}

export interface AccessPattern {
  /** The text before the first field. */
  readonly before: string;
  readonly parts: readonly AccessPart[];
}

export const MAX_ACCESS_FORMAT_LENGTH = 4096;

/**
 * Compiles nginx's `log_format` or Apache's `LogFormat`: the format alone, or the line of the configuration
 * as it is. Returns the reason as a text if it is not valid.
 */
export function compileAccessFormat(text: string): AccessPattern | string {
  if (text.length > MAX_ACCESS_FORMAT_LENGTH)
    return `expected at most ${MAX_ACCESS_FORMAT_LENGTH} characters, found ${text.length}`;
  const format = formatInConfiguration(text.trim());
  const isNginx = /\$\{?\w/.test(format);
  if (/"\$\w+"\s*:|":\s*"?\$/.test(format))
    return 'expected an access log of text; this one is JSON: use the format "json"';
  const tokens = isNginx ? nginxTokens(format) : apacheTokens(format);
  return typeof tokens === 'string' ? tokens : patternOf(tokens);
}

/** The format in `log_format name 'a' 'b';` or `LogFormat "a" name`. */
function formatInConfiguration(text: string): string {
  const nginx = /^log_format\s+\S+\s+(?:escape=\w+\s+)?(.*?);?$/s.exec(text)?.[1];
  if (nginx !== undefined)
    return [...nginx.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s'"]+)/gs)].map(join).join('');
  const apache = /^(?:LogFormat|CustomLog\s+\S+)\s+"((?:[^"\\]|\\.)*)"/s.exec(text)?.[1];
  return (apache ?? text).replace(/\\(["'\\])/g, '$1').replaceAll('\\t', '\t');
}

function join([, single, double, bare]: RegExpMatchArray): string {
  return (single ?? double ?? bare ?? '').replace(/\\(["'\\])/g, '$1');
}

type Token = string | { readonly put: PutField; readonly isBracketed: boolean };

function nginxTokens(format: string): readonly Token[] {
  const tokens: Token[] = [];
  let end = 0;
  for (const { 0: matched, 1: braced, 2: bare, index } of format.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)) {
    if (index > end) tokens.push(format.slice(end, index));
    tokens.push({ put: nginxField(braced ?? bare ?? ''), isBracketed: false });
    end = index + matched.length;
  }
  if (end < format.length) tokens.push(format.slice(end));
  return tokens;
}

/** `%h`, `%>s`, `%{Referer}i`, `%400,501{User-agent}i`, `%%`. */
const DIRECTIVE = /%(?:(%)|(?:!?[\d,]*)[<>]?(?:\{([^}]*)\})?(\^?[a-zA-Z]{1,2}))/g;

function apacheTokens(format: string): readonly Token[] | string {
  const tokens: Token[] = [];
  let end = 0;
  for (const { 0: matched, 1: percent, 2: argument, 3: letters = '', index } of format.matchAll(DIRECTIVE)) {
    const letter = letters.charAt(0);
    const length = matched.length - (percent === undefined ? letters.length - 1 : 0);
    const put = percent === undefined ? apacheField(letter, argument) : undefined;
    if (percent === undefined && put === undefined)
      return `expected directives of LogFormat, found "${matched}"`;
    if (index > end) tokens.push(format.slice(end, index));
    tokens.push(put === undefined ? '%' : { put, isBracketed: letter === 't' && argument === undefined });
    end = index + length;
  }
  if (end < format.length) tokens.push(format.slice(end));
  return tokens;
}

function patternOf(tokens: readonly Token[]): AccessPattern | string {
  const fields: { put: PutField; isBracketed: boolean; after: string }[] = [];
  let before = '';
  for (const token of tokens) {
    const last = fields.at(-1);
    if (typeof token !== 'string') {
      if (last?.after === '')
        return 'expected a text between two fields, found none: their values cannot be separated';
      fields.push({ ...token, after: '' });
    } else if (last === undefined) before += token;
    else last.after += token;
  }
  if (fields.length === 0) return 'expected at least one field such as $remote_addr or %h, found none';
  return { ...quoted(before, fields) };
}

/** Moves the quotes around a field from the texts into the field. */
function quoted(
  start: string,
  fields: readonly { readonly put: PutField; readonly isBracketed: boolean; readonly after: string }[],
): AccessPattern {
  let text = start;
  let before = '';
  const parts: AccessPart[] = [];
  for (const { put, isBracketed, after } of fields) {
    const isQuoted = text.endsWith('"') && after.startsWith('"');
    const between = isQuoted ? text.slice(0, -1) : text;
    const last = parts.pop();
    if (last === undefined) before = between;
    else parts.push({ ...last, after: between, until: isQuoted ? `${between}"` : between });
    parts.push({ put, isQuoted, isBracketed, after: '', until: '' });
    text = isQuoted ? after.slice(1) : after;
  }
  const last = parts.pop();
  if (last !== undefined) parts.push({ ...last, after: text, until: text });
  return { before, parts };
}
