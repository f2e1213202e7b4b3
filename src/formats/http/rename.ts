import type { AttributeValue } from '../../records/log-record.ts';

/** Gives attributes the names of OpenTelemetry. An attribute that already has such a name is kept, and so is the other. */
export function rename(
  attributes: Map<string, AttributeValue>,
  names: ReadonlyMap<string, string>,
): Map<string, AttributeValue> {
  for (const [name, value] of [...attributes]) {
    const standard = names.get(name);
    if (standard === undefined || attributes.has(standard)) continue;
    attributes.delete(name);
    attributes.set(standard, value);
  }
  return attributes;
}
