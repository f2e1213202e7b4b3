import type { AttributeValue } from '../records/log-record.ts';
import { HOST_NAME, SERVICE_NAME } from '../records/record-origin.ts';
import type { Resource } from '../records/resource.ts';
import { ATTRIBUTE_COLUMNS, type AttributeColumn } from './attribute-columns.ts';
import { INTERNAL_ATTRIBUTES, TIME_SOURCE } from './marker-attributes.ts';
import { POSTGRES_IDENTITY } from './postgres/resource-attributes.ts';

/** The part that all rows of a batch share; created once for the batch. */
export interface RowOrigin {
  readonly host: string | null;
  readonly service: string | null;
  readonly source: string | null;
  /** Attributes of the resource, in the order of ATTRIBUTE_COLUMNS, for records without their own value. */
  readonly columns: AttributeValues;
  /** Attributes of the resource that have no column. */
  readonly attributes: ReadonlyMap<string, string>;
  /** A value with a column contained U+0000. */
  readonly hasNul: boolean;
}

export type AttributeValues = readonly (string | number | null)[];

/** The first of these attributes that exists is the source of a record. */
const SOURCES = ['log.file.path', POSTGRES_IDENTITY, 'client.address'];
/** The end of 2199. A time outside of 1970 to 2199 is a mistake, and would create a partition of its own. */
export const MAX_UNIX_MICRO = Date.UTC(2200, 0, 1) * 1000;

export function rowOrigin(resource: Resource): RowOrigin {
  const attributes = new Map(resource);
  for (const name of [TIME_SOURCE, ...INTERNAL_ATTRIBUTES]) attributes.delete(name);
  let hasNul = false;
  const take = (key: string) => {
    const value = attributes.get(key);
    attributes.delete(key);
    if (value === undefined) return null;
    hasNul ||= holdsNul(value);
    return storable(value);
  };
  const source = SOURCES.find((key) => attributes.has(key));
  const taken = {
    host: take(HOST_NAME),
    service: take(SERVICE_NAME),
    source: source === undefined ? null : take(source),
    columns: ATTRIBUTE_COLUMNS.map(({ attribute, type }) => (type === 'text' ? take(attribute) : null)),
  };
  return { ...taken, attributes, hasNul };
}

/** Whether a value of a record is in the column `host` or `service`, and not in `attributes`. */
export function isOriginColumn(key: string, value: AttributeValue): boolean {
  return (key === HOST_NAME || key === SERVICE_NAME) && typeof value === 'string' && value !== '';
}

export const COLUMN_INDEX: ReadonlyMap<string, number> = new Map(
  ATTRIBUTE_COLUMNS.map(({ attribute }, index) => [attribute, index]),
);

/** Whether a value is in the column of its attribute; otherwise it is in `attributes`. */
export function fits({ type }: AttributeColumn, value: AttributeValue): boolean {
  if (type === 'text') return typeof value === 'string';
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return false;
  return type === 'bigint' || (value >= -32_768 && value <= 32_767);
}

/** The time of a record in a store; undefined: it is kept as an attribute instead. */
export function possibleTime(unixNano: bigint | undefined): number | undefined {
  if (unixNano === undefined || unixNano < 0n) return undefined;
  const unixMicro = Number(unixNano / 1000n);
  return unixMicro < MAX_UNIX_MICRO ? unixMicro : undefined;
}

export function clamped(unixMicro: number): number {
  return Math.min(Math.max(0, unixMicro), MAX_UNIX_MICRO - 1);
}

export function holdsNul(text: string | undefined): boolean {
  return text?.includes('\0') ?? false;
}

/**
 * Converts a text to the form in a store: without U+0000 and lone surrogates. Search texts are converted,
 * too.
 */
export function storable(text: string): string {
  const stored = text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
  return stored.isWellFormed() ? stored : stored.toWellFormed();
}
