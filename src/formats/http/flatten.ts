import type { AttributeValue } from '../../records/log-record.ts';
import type { JsonObject } from '../json.ts';

/** An object with more values keeps its nested objects. */
const MAX_VALUES = 1000;

/**
 * Names the values of nested objects by their path: `{"host": {"name": "a"}}` becomes `host.name`. To Elasticsearch, both
 * notations are equal. Values with one path become a list.
 */
export function flatten(object: JsonObject): Map<string, AttributeValue> {
  const flat = new Map<string, AttributeValue>();
  return addAll(flat, object, '') ? flat : new Map(Object.entries(object));
}

/** False: there are too many values. */
function addAll(flat: Map<string, AttributeValue>, object: JsonObject, prefix: string): boolean {
  for (const [key, value] of Object.entries(object)) {
    const path = prefix + key;
    if (isFilledObject(value)) {
      if (!addAll(flat, value, `${path}.`)) return false;
    } else add(flat, path, value);
    if (flat.size > MAX_VALUES) return false;
  }
  return true;
}

function add(flat: Map<string, AttributeValue>, path: string, value: AttributeValue): void {
  const earlier = flat.get(path);
  flat.set(path, earlier === undefined ? value : [earlier, value].flat());
}

function isFilledObject(value: AttributeValue): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
  );
}
