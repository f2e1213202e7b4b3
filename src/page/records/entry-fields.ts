import type { FieldValue } from '../query/conditions.ts';
import { attributeProperty, nestedProperty } from '../query/property-name.ts';
import type { Json, LogEntry } from './log-entry.ts';

export interface EntryField {
  /** As in an expression. */
  readonly property: string;
  readonly value: FieldValue;
}

const COLUMNS: readonly (readonly [string, (entry: LogEntry) => FieldValue])[] = [
  ['time', ({ time }) => time],
  ['observed_time', ({ observedTime }) => observedTime],
  ['severity', ({ severity }) => severity],
  ['severity_text', ({ severityText }) => severityText],
  ['host.name', ({ host }) => host],
  ['service.name', ({ service }) => service],
  ['source', ({ source }) => source],
  ['format', ({ format }) => format],
];
const COLUMN_VALUES = new Map([...COLUMNS, ['body', ({ body }: LogEntry) => body] as const]);

const MAX_FIELDS = 500;

/** The fields of a record, one for each value in nested attributes; columns without a value are left out. */
export function fieldsOf(entry: LogEntry): readonly EntryField[] {
  const fields: EntryField[] = COLUMNS.map(([property, fieldValue]) => ({
    property,
    value: fieldValue(entry),
  })).filter(({ value }) => value !== null);
  for (const [name, value] of Object.entries(entry.attributes))
    addFields(fields, attributeProperty(name), value);
  return fields;
}

function addFields(fields: EntryField[], property: string, value: Json): void {
  if (fields.length >= MAX_FIELDS) return;
  if (typeof value !== 'object' || value === null) {
    fields.push({ property, value });
    return;
  }
  const entries = Array.isArray(value)
    ? value.map((each: Json, at: number) => [at, each] as const)
    : Object.entries(value as { readonly [name: string]: Json });
  if (entries.length === 0) fields.push({ property, value: Array.isArray(value) ? '[]' : '{}' });
  for (const [key, each] of entries) addFields(fields, nestedProperty(property, key), each);
}

/** The value of a column of the list; undefined: the record has none. */
export function fieldValue(entry: LogEntry, property: string): FieldValue | undefined {
  const column = COLUMN_VALUES.get(property);
  if (column !== undefined) return column(entry) ?? undefined;
  const name = property.startsWith('attributes.') ? property.slice('attributes.'.length) : property;
  const flat = entry.attributes[name];
  const value = flat === undefined ? nestedValue(entry.attributes, name) : flat;
  if (value === undefined) return undefined;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

const STEP = /\[\s*(?:(\d+)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\]'"]+))\s*\]|\.?([^.[\]]+)/gs;

function nestedValue(attributes: LogEntry['attributes'], path: string): Json | undefined {
  let value: Json | undefined = attributes;
  for (const [, index, double, single, plain, word] of path.matchAll(STEP)) {
    if (typeof value !== 'object' || value === null) return undefined;
    const key = index ?? double ?? single ?? plain ?? word ?? '';
    value = (value as { readonly [name: string]: Json })[key];
  }
  return value;
}
