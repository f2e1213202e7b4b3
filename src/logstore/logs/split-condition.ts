import { bracketsAt } from '../../expressions/property-brackets.ts';

/**
 * Splits `property=value`; undefined: there is no `=`. A name that contains `=` is written in brackets:
 * `['a=b']=value`. Throws PropertyError.
 */
export function splitCondition(
  text: string,
): { readonly property: string; readonly value: string } | undefined {
  const equals = text.indexOf('=', Math.max(bracketsAt(text)?.end ?? 0, 0));
  if (equals < 0) return undefined;
  return { property: text.slice(0, equals), value: text.slice(equals + 1) };
}
