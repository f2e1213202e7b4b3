import type { AttributeValue } from '../../records/log-record.ts';

/** The elements by their ids. The value of a name that occurs several times is a list. */
export type StructuredData = Readonly<Record<string, Readonly<Record<string, AttributeValue>>>>;

/** A peer chooses the names: none of them, such as `__proto__`, has a meaning. */
export function emptyRecord<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>;
}
