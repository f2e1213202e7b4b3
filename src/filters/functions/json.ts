import type { AttributeValue } from '../../records/log-record.ts';
import { type FilterFunction, FROM, PREFIX } from './filter-function.ts';
import { fieldsOperation } from './pairs.ts';

export const json: FilterFunction = {
  name: 'json',
  usage: 'json(from = VALUE, prefix = "p.")',
  values: [0, 0],
  named: [FROM, PREFIX],
  compile: (call) => fieldsOperation(call, 'not a JSON object', jsonFields),
};

const MAX_DEPTH = 100;

function jsonFields(text: string): ReadonlyMap<string, AttributeValue> | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || isTooDeep(trimmed)) return undefined;
  try {
    return new Map(Object.entries(JSON.parse(trimmed) as Readonly<Record<string, AttributeValue>>));
  } catch {
    return undefined;
  }
}

/** Later steps visit values by recursion. Brackets in texts count, too: such a text has to have very many. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest > MAX_DEPTH;
}
