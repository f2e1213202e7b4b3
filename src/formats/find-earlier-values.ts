import type { AttributeValue } from '../records/log-record.ts';

/** Reads valid JSON text whose nesting is bounded. undefined: no object has equal keys. */
export function findEarlierValues(json: string): EarlierValues | undefined {
  const found = new Map<string, AttributeValue[]>();
  const levels: Level[] = [];
  const endValue = (at: number) => {
    const level = levels.at(-1);
    if (level?.values === undefined || level.valueStart < 0) return;
    const earlier = level.values.get(level.key);
    if (earlier !== undefined) {
      const path = level.path + level.key;
      const value = JSON.parse(json.slice(...earlier)) as AttributeValue;
      const values = found.get(path);
      if (values === undefined) found.set(path, [value]);
      else values.push(value);
    }
    level.values.set(level.key, [level.valueStart, at]);
    level.valueStart = -1;
  };
  for (const { 0: token, index } of json.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (token === '{' || token === '[') {
      const path = level === undefined ? '' : `${level.path}${level.key}${level.key === '' ? '' : '.'}`;
      levels.push({ values: token === '{' ? new Map() : undefined, path, key: '', valueStart: -1 });
    } else if (token === '}' || token === ']') {
      endValue(index);
      levels.pop();
    } else if (token === ',') endValue(index);
    else if (level?.values !== undefined && token.endsWith(':')) {
      level.key = JSON.parse(token.slice(0, -1).trimEnd()) as string;
      level.valueStart = index + token.length;
    }
  }
  return found.size === 0 ? undefined : Object.fromEntries(found);
}

/** The earlier values of each key that an object has several times; a nested key is `outer.inner`. */
export type EarlierValues = Readonly<Record<string, readonly AttributeValue[]>>;

/**
 * Whether valid JSON text may have equal keys, of which `JSON.parse` keeps only the last. Without equal keys
 * the text has as many `":` as its objects have keys. Cheap; a text that passes is read again by
 * `findEarlierValues`.
 */
export function mayHaveEqualKeys(json: string, keyCount: number): boolean {
  let count = 0;
  for (let at = json.indexOf('":'); at >= 0; at = json.indexOf('":', at + 2)) count++;
  return count !== keyCount || BLANK_BEFORE_COLON.some((each) => json.includes(each));
}

const BLANK_BEFORE_COLON = ['" ', '"\t', '"\n', '"\r'] as const;

/** One level of nesting; `key` undefined: a list. */
interface Level {
  /** The start and end of the value of each key. */
  readonly values: Map<string, readonly [start: number, end: number]> | undefined;
  readonly path: string;
  key: string;
  valueStart: number;
}

/** A string with its colon (a key), a string, or punctuation of values. */
const TOKEN = /"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\],]/gs;
