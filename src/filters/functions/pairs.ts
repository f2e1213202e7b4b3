import { logfmtPairs } from '../../formats/logfmt.ts';
import type { AttributeValue } from '../../records/log-record.ts';
import type { FilterRun } from '../filter-run.ts';
import {
  type FilterCall,
  type FilterFunction,
  type FilterOperation,
  FROM,
  PREFIX,
} from './filter-function.ts';

export const kv: FilterFunction = {
  name: 'kv',
  usage: 'kv(from = VALUE, pair = " ", key = "=", prefix = "p.")',
  values: [0, 0],
  named: [FROM, PREFIX, 'pair', 'key'],
  compile: (call) => {
    const pair = separator(call, 'pair', ' ');
    const key = separator(call, 'key', '=');
    return fieldsOperation(call, 'no pairs of keys and values', (text) => pairsIn(text, pair, key));
  },
};

export const logfmtFunction: FilterFunction = {
  name: 'logfmt',
  usage: 'logfmt(from = VALUE, prefix = "p.")',
  values: [0, 0],
  named: [FROM, PREFIX],
  compile: (call) =>
    fieldsOperation(call, 'not logfmt', (text) => {
      const pairs = logfmtPairs(text);
      return typeof pairs === 'string' ? undefined : pairs;
    }),
};

/** Adds all fields that `read` finds in the source of a call. */
export function fieldsOperation(
  call: FilterCall,
  reason: string,
  read: (text: string) => ReadonlyMap<string, AttributeValue> | undefined,
  defaultPrefix = '',
): FilterOperation {
  const prefix = call.namedText(PREFIX) ?? defaultPrefix;
  const source = call.source();
  call.writes(`${prefix}*`);
  const run = (state: FilterRun): boolean => {
    const text = source(state);
    if (text === undefined) return false;
    const fields = read(text);
    if (fields === undefined) {
      if (call.isStatement) call.error(state, reason, text);
      return false;
    }
    const { attributes } = state.change();
    for (const [name, value] of fields) attributes.set(prefix + name, value);
    return true;
  };
  return { kind: 'extract', run };
}

function separator(call: FilterCall, name: string, usual: string): string {
  const text = call.namedText(name) ?? usual;
  return text === '' ? call.fail(`${name} has at least one character`) : text;
}

const MAX_PAIRS = 1000;

/** `a=1 b="two words"`; undefined: there is no pair. */
function pairsIn(text: string, pair: string, key: string): ReadonlyMap<string, AttributeValue> | undefined {
  const pairs = new Map<string, AttributeValue>();
  let at = 0;
  while (at < text.length && pairs.size < MAX_PAIRS) {
    const keyEnd = text.indexOf(key, at);
    if (keyEnd < 0) break;
    const begin = Math.max(at, lastSeparator(text, pair, at, keyEnd));
    const name = text.slice(begin, keyEnd).trim();
    const [value, end] = readValue(text, keyEnd + key.length, pair);
    if (name !== '') pairs.set(name, value);
    at = end;
  }
  return pairs.size === 0 ? undefined : pairs;
}

/** The end of the last separator before the key: a word without a value is skipped. */
function lastSeparator(text: string, pair: string, from: number, end: number): number {
  const last = text.slice(from, end).trimEnd().lastIndexOf(pair);
  return last < 0 ? from : from + last + pair.length;
}

function readValue(text: string, begin: number, pair: string): readonly [value: string, end: number] {
  const quote = text[begin];
  if (quote === '"' || quote === "'") {
    const close = closingQuote(text, begin + 1, quote);
    if (close >= 0) return [text.slice(begin + 1, close).replaceAll(/\\(["'\\])/g, '$1'), close + 1];
  }
  const end = text.indexOf(pair, begin);
  return end < 0 ? [text.slice(begin), text.length] : [text.slice(begin, end), end + pair.length];
}

function closingQuote(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote) return at;
  }
  return -1;
}
