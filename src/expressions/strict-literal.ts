import { isTimeText } from './moment.ts';
import { NetworkError, networksPattern } from './network-pattern.ts';
import type { Property } from './property.ts';
import { type Literal, severityRange, typeOf, ValueError } from './value-test.ts';

/**
 * Why a literal of a filter cannot be meant, as a ValueError: a mistake would be a comparison of texts that never
 * matches. A search accepts such literals, as it always did.
 */
export function checkLiteral(property: Property, literal: Literal): void {
  const type = typeOf(property);
  const shown = JSON.stringify(literal.text);
  if (literal.kind === 'number') {
    if (type === 'severity' && !isSeverity(literal.number))
      throw new ValueError(`a severity is a name or a number from 1 to 24, found ${literal.text}`);
    return;
  }
  if (literal.isBare !== true || type === 'uuid') return;
  if (type === 'number') throw new ValueError(`${property.name} is a number; write a number such as 500`);
  if (!/^-?\.?\d/.test(literal.text) || isTimeText(literal.text) || isNetwork(literal.text)) return;
  throw new ValueError(
    `expected a number such as 500, a time such as 2026-01-31, or a text in quotes, found ${shown}`,
  );
}

/** A range that ends before it begins has no value. */
export function checkRange(property: Property, from: Literal, to: Literal): void {
  const isReversed =
    typeOf(property) === 'severity'
      ? (severityRange(from).min ?? 0) > (severityRange(to).max ?? 0)
      : from.kind === 'number' && to.kind === 'number'
        ? from.number > to.number
        : isTimeText(from.text) && isTimeText(to.text) && Date.parse(from.text) > Date.parse(to.text);
  if (isReversed) throw new ValueError(`the range is empty; write ${to.text}..${from.text}`);
}

function isSeverity(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 24;
}

function isNetwork(text: string): boolean {
  try {
    networksPattern([text]);
    return true;
  } catch (error) {
    if (error instanceof NetworkError) return false;
    throw error;
  }
}
