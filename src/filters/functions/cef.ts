import type { AttributeValue } from '../../records/log-record.ts';
import { type FilterFunction, FROM, PREFIX } from './filter-function.ts';
import { fieldsOperation } from './pairs.ts';

type Fields = Map<string, AttributeValue>;

/** ArcSight's Common Event Format: `CEF:0|vendor|product|version|id|name|severity|key=value ...`. */
export const cef: FilterFunction = {
  name: 'cef',
  usage: 'cef(from = VALUE, prefix = "cef.")',
  values: [0, 0],
  named: [FROM, PREFIX],
  compile: (call) => fieldsOperation(call, 'not CEF', cefFields, 'cef.'),
};

/** QRadar's Log Event Extended Format: `LEEF:1.0|vendor|product|version|id|key=value<tab>...`. */
export const leef: FilterFunction = {
  name: 'leef',
  usage: 'leef(from = VALUE, prefix = "leef.")',
  values: [0, 0],
  named: [FROM, PREFIX],
  compile: (call) => fieldsOperation(call, 'not LEEF', leefFields, 'leef.'),
};

const CEF_HEADER = [
  'version',
  'device_vendor',
  'device_product',
  'device_version',
  'event_id',
  'name',
  'severity',
];
const LEEF_HEADER = ['version', 'device_vendor', 'device_product', 'device_version', 'event_id'];
const MAX_KEYS = 1000;

function cefFields(text: string): Fields | undefined {
  const header = headerOf(text, 'CEF:', CEF_HEADER);
  if (header === undefined) return undefined;
  addExtension(header.fields, text.slice(header.end));
  return header.fields;
}

function leefFields(text: string): Fields | undefined {
  const header = headerOf(text, 'LEEF:', LEEF_HEADER);
  if (header === undefined) return undefined;
  const { fields } = header;
  let rest = text.slice(header.end);
  let separator = '\t';
  if (fields.get('version') === '2.0') {
    const end = rest.indexOf('|');
    if (end >= 0 && end <= MAX_SEPARATOR) {
      separator = separatorOf(rest.slice(0, end));
      rest = rest.slice(end + 1);
    }
  }
  for (const pair of rest.split(separator, MAX_KEYS)) {
    const equals = pair.indexOf('=');
    if (equals > 0) fields.set(pair.slice(0, equals).trim(), pair.slice(equals + 1));
  }
  return fields;
}

const MAX_SEPARATOR = 6;

/** A character, or its code: `^`, `x5E`, `0x5E`; empty: a tab. */
function separatorOf(text: string): string {
  const hex = /^(?:0x|x)([0-9a-fA-F]{1,4})$/.exec(text)?.[1];
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
  return text === '' ? '\t' : text;
}

/** The fields between bars; `\|` is a bar in a field. */
function headerOf(
  text: string,
  begin: string,
  names: readonly string[],
): { readonly fields: Fields; readonly end: number } | undefined {
  const start = text.indexOf(begin);
  if (start < 0) return undefined;
  const fields: Fields = new Map();
  let at = start + begin.length;
  for (const name of names) {
    const end = endOfField(text, at);
    if (end < 0) return undefined;
    fields.set(name, text.slice(at, end).replaceAll(/\\([|\\])/g, '$1'));
    at = end + 1;
  }
  return { fields, end: at };
}

function endOfField(text: string, begin: number): number {
  for (let at = begin; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '|') return at;
  }
  return -1;
}

/** `key=value key2=value with blanks`: a value ends before the next key. */
function addExtension(fields: Fields, text: string): void {
  const keys = [...text.matchAll(/(?:^|\s)([\w.[\]-]{1,100})=/g)].slice(0, MAX_KEYS);
  for (const [at, found] of keys.entries()) {
    const begin = found.index + found[0].length;
    const end = keys[at + 1]?.index ?? text.length;
    fields.set(found[1] ?? '', unescaped(text.slice(begin, end).trimEnd()));
  }
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([=\\nr])/g, (_, each: string) =>
    each === 'n' ? '\n' : each === 'r' ? '\r' : each,
  );
}
