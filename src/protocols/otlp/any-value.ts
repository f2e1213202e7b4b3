import type { AnyValue, KeyValue } from '../../records/gen/opentelemetry/proto/common/v1/common.ts';
import type { AttributeValue } from '../../records/log-record.ts';

/**
 * The JSON value of a typed value. An integer that a number cannot contain exactly, and a number that JSON does not have
 * (`NaN`), become texts; bytes become Base64.
 */
export function jsonValueOf(value: AnyValue | undefined): AttributeValue {
  const held = value?.value;
  if (held === undefined) return null;
  switch (held.$case) {
    case 'intValue': {
      const number = Number(held.value);
      return Number.isSafeInteger(number) ? number : String(held.value);
    }
    case 'doubleValue':
      return Number.isFinite(held.value) ? held.value : String(held.value);
    case 'bytesValue':
      return held.value.toString('base64');
    case 'arrayValue':
      return held.value.values.map(jsonValueOf);
    case 'kvlistValue':
      return objectOf(held.value.values);
    case 'stringValue':
    case 'boolValue':
      return held.value;
  }
}

/** Keys like `__proto__` are not special. */
export function objectOf(values: readonly KeyValue[]): { readonly [key: string]: AttributeValue } {
  return Object.fromEntries(values.map(({ key, value }) => [key, jsonValueOf(value)]));
}

/** The typed value of a JSON value. */
export function anyValueOf(value: AttributeValue): AnyValue {
  if (typeof value === 'string') return { value: { $case: 'stringValue', value } };
  if (typeof value === 'boolean') return { value: { $case: 'boolValue', value } };
  if (typeof value === 'number') return { value: numberValue(value) };
  if (value === null) return { value: undefined };
  if (isList(value)) return { value: { $case: 'arrayValue', value: { values: value.map(anyValueOf) } } };
  return { value: { $case: 'kvlistValue', value: { values: keyValuesOf(Object.entries(value)) } } };
}

export function keyValuesOf(entries: Iterable<readonly [string, AttributeValue]>): KeyValue[] {
  return Array.from(entries, ([key, value]) => ({ key, value: anyValueOf(value) }));
}

/** `Array.isArray` does not narrow a readonly array. */
function isList(value: object): value is readonly AttributeValue[] {
  return Array.isArray(value);
}

function numberValue(value: number): NonNullable<AnyValue['value']> {
  return Number.isSafeInteger(value)
    ? { $case: 'intValue', value: BigInt(value) }
    : { $case: 'doubleValue', value };
}
