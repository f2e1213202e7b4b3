import { attributePaths } from '../expressions/attribute-paths.ts';
import type { Property } from '../expressions/property.ts';
import { ATTRIBUTE_COLUMNS } from '../formats/attribute-columns.ts';
import { numberToUnixNano } from '../formats/number-to-unix-nano.ts';
import { parseRfc3339 } from '../formats/rfc3339.ts';
import { severityOfName } from '../formats/severity.ts';
import type { AttributeValue } from '../records/log-record.ts';
import { HOST_NAME, SERVICE_NAME } from '../records/record-origin.ts';
import type { DraftRecord, FilterRun } from './filter-run.ts';
import { attributeOf, type FilterValue, textOf } from './filter-value.ts';

/**
 * Writes and removes a property of a record. An equal body or attribute is no change: outputs of raw bytes write a
 * record without changes as it was received.
 */
export interface PropertyWriter {
  /** The name of the attribute or column that it writes. */
  readonly name: string;
  /** Returns why the value cannot be stored; undefined: it is stored. */
  write(run: FilterRun, value: Exclude<FilterValue, undefined>): string | undefined;
  remove(run: FilterRun): void;
}

/** Returns the reason as a text for a property that cannot be changed. */
export function propertyWriter(property: Property): PropertyWriter | string {
  if (property.kind === 'section') return `${property.name} cannot be changed`;
  if (property.kind === 'attribute') {
    if (property.isResource === true) return 'the resource of a record cannot be changed';
    return attributeWriter(property);
  }
  const own = COLUMN_WRITERS.get(property.column);
  if (own !== undefined) return own();
  const column = ATTRIBUTE_COLUMNS.find((each) => each.column === property.column);
  return column === undefined ? `${property.name} cannot be changed` : attributeNamed(column.attribute);
}

const COLUMN_WRITERS: ReadonlyMap<string, () => PropertyWriter> = new Map([
  ['body', () => bodyWriter],
  ['time', () => timeWriter],
  ['severity_number', () => severityWriter],
  ['severity_text', () => severityTextWriter],
  ['host', () => attributeNamed(HOST_NAME)],
  ['service', () => attributeNamed(SERVICE_NAME)],
]);

const bodyWriter: PropertyWriter = {
  name: 'body',
  write: (run, value) => {
    const body = textOf(value) ?? '';
    if (body !== run.record.body) run.change().body = body;
    return undefined;
  },
  remove: (run) => {
    if (run.record.body !== '') run.change().body = '';
  },
};

const timeWriter: PropertyWriter = {
  name: 'time',
  write: (run, value) => {
    const text = typeof value === 'bigint' ? undefined : (textOf(value) ?? '');
    const unixNano = text === undefined ? (value as bigint) : (parseRfc3339(text) ?? numberToUnixNano(text));
    if (unixNano === undefined) return 'expected a time';
    run.change().timeUnixNano = unixNano;
    return undefined;
  },
  remove: (run) => {
    run.change().timeUnixNano = undefined;
  },
};

const severityWriter: PropertyWriter = {
  name: 'severity',
  write: (run, value) => {
    const text = textOf(value) ?? '';
    const number = typeof value === 'number' ? value : (severityOfName(text) ?? Number(text || 'none'));
    if (!Number.isInteger(number) || number < 1 || number > 24)
      return 'expected a severity such as error, or its number from 1 to 24';
    const draft = run.change();
    draft.severityNumber = number;
    draft.severityText = text;
    return undefined;
  },
  remove: (run) => {
    const draft = run.change();
    draft.severityNumber = undefined;
    draft.severityText = undefined;
  },
};

const severityTextWriter: PropertyWriter = {
  name: 'severity_text',
  write: (run, value) => {
    run.change().severityText = textOf(value);
    return undefined;
  },
  remove: (run) => {
    run.change().severityText = undefined;
  },
};

/** An attribute of exactly this name. */
export function attributeNamed(name: string): PropertyWriter {
  return {
    name,
    write: (run, value) => {
      const attribute = attributeOf(value);
      if (run.record.attributes.get(name) !== attribute) run.change().attributes.set(name, attribute);
      return undefined;
    },
    remove: (run) => {
      if (run.record.attributes.has(name)) run.change().attributes.delete(name);
    },
  };
}

/** A value in the other places that the name can mean would win over the new one, and is removed. */
function attributeWriter(property: Extract<Property, { kind: 'attribute' }>): PropertyWriter {
  const paths = attributePaths(property).map((path) => (typeof path === 'string' ? [path] : path));
  const target = property.path ?? [property.key, ...(property.rest ?? [])];
  const others = paths.filter((path) => path.length > 1 || path[0] !== target[0]);
  const [key = ''] = target;
  if (target.length === 1 && others.length === 0) return attributeNamed(key);
  const removeFrom = (run: FilterRun, all: readonly (readonly string[])[]) => {
    for (const path of all) if (hasPath(run.record.attributes, path)) removePath(run.change(), path);
  };
  return {
    name: target.join('.'),
    write: (run, value) => {
      removeFrom(run, others);
      const attribute = attributeOf(value);
      if (valueAt(run.record.attributes, target) !== attribute) setPath(run.change(), target, attribute);
      return undefined;
    },
    remove: (run) => removeFrom(run, paths),
  };
}

type JsonObject = { readonly [key: string]: AttributeValue };

function hasPath(attributes: ReadonlyMap<string, AttributeValue>, path: readonly string[]): boolean {
  return valueAt(attributes, path) !== undefined;
}

function valueAt(
  attributes: ReadonlyMap<string, AttributeValue>,
  [key = '', ...rest]: readonly string[],
): AttributeValue | undefined {
  let value = attributes.get(key);
  for (const each of rest) value = memberOf(value, each);
  return value;
}

function memberOf(value: AttributeValue | undefined, key: string): AttributeValue | undefined {
  if (Array.isArray(value)) return (value as readonly AttributeValue[])[indexOf(key)];
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: AttributeValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function indexOf(key: string): number {
  return /^(?:0|[1-9]\d{0,8})$/.test(key) ? Number(key) : -1;
}

function removePath({ attributes }: DraftRecord, [key = '', ...rest]: readonly string[]): void {
  if (rest.length === 0) attributes.delete(key);
  else attributes.set(key, changed(attributes.get(key), rest, undefined) ?? null);
}

function setPath({ attributes }: DraftRecord, [key = '', ...rest]: readonly string[], value: AttributeValue) {
  attributes.set(key, changed(attributes.get(key), rest, value) ?? null);
}

/** A copy of the value with another member; a member that is undefined is removed. */
function changed(
  value: AttributeValue | undefined,
  [key, ...rest]: readonly string[],
  member: AttributeValue | undefined,
): AttributeValue | undefined {
  if (key === undefined) return member;
  const inner = changed(memberOf(value, key), rest, member);
  if (Array.isArray(value) && indexOf(key) >= 0) {
    const list = [...(value as readonly AttributeValue[])];
    const at = Math.min(indexOf(key), list.length);
    list.splice(at, 1, ...(inner === undefined ? [] : [inner]));
    return list;
  }
  const members = new Map(isObject(value) ? Object.entries(value) : []);
  if (inner === undefined) members.delete(key);
  else members.set(key, inner);
  return Object.fromEntries(members);
}
