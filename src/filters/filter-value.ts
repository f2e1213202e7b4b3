import { formatRfc3339 } from '../formats/rfc3339.ts';
import type { AttributeValue } from '../records/log-record.ts';

/** A value in a filter; a bigint is a time in nanoseconds since 1970; undefined: there is none. */
export type FilterValue = AttributeValue | bigint | undefined;

/** The value as a text; undefined for no value and for `null`. */
export function textOf(value: FilterValue): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return formatRfc3339(value);
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}

/** The value as a record can have it: times become texts. */
export function attributeOf(value: Exclude<FilterValue, undefined>): AttributeValue {
  return typeof value === 'bigint' ? formatRfc3339(value) : value;
}

/** The elements of a list, or the only value. */
export function elementsOf(value: FilterValue): readonly FilterValue[] {
  return Array.isArray(value) ? (value as readonly AttributeValue[]) : [value];
}

/** The result of `change` for a text, and for each text of a list. */
export function mapTexts(value: FilterValue, change: (text: string) => FilterValue): FilterValue {
  if (Array.isArray(value)) {
    return (value as readonly AttributeValue[]).flatMap((each) => {
      const changed = mapTexts(each, change);
      return changed === undefined ? [] : [attributeOf(changed)];
    });
  }
  const text = textOf(value);
  return text === undefined ? undefined : change(text);
}

/** Whether any element of one value equals any of the other. Numbers and texts are compared as texts. */
export function isAnyEqual(left: FilterValue, right: FilterValue): boolean {
  if (!Array.isArray(left) && !Array.isArray(right)) {
    const text = textOf(left);
    return text !== undefined && text === textOf(right);
  }
  const texts = new Set(elementsOf(right).flatMap((each) => textOf(each) ?? []));
  return elementsOf(left).some((each) => texts.has(textOf(each) ?? '\0'));
}
