import { bracketsAt } from '../property-brackets.ts';

/**
 * `property=value` in its two parts; undefined: there is no `=`. A name that holds a `=` itself is written in brackets:
 * `['a=b']=value`. Throws PropertyError.
 */
export function splitCondition(
  text: string,
): { readonly property: string; readonly value: string } | undefined {
  const equals = text.indexOf('=', Math.max(bracketsAt(text)?.end ?? 0, 0));
  if (equals < 0) return undefined;
  return { property: text.slice(0, equals), value: text.slice(equals + 1) };
}
