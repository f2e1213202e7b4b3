import { LIMITS } from '../records/limits.ts';
import type { Resource } from '../records/resource.ts';
import { InvalidValue } from '../runtime/configuration/configuration.ts';

/**
 * Parses `key=value,key=value`, percent-encoded, as in OpenTelemetry's `OTEL_RESOURCE_ATTRIBUTES`: blanks
 * around keys and values are ignored, `,` and `=` within them are written `%2C` and `%3D`. Throws
 * InvalidValue.
 */
export function parseResourceAttributes(text: string): Resource {
  const attributes = new Map<string, string>();
  let sizeBytes = 0;
  for (const entry of text.split(',')) {
    if (entry.trim() === '') continue;
    const equals = entry.indexOf('=');
    const key = decode(entry.slice(0, Math.max(0, equals)), entry);
    const value = decode(entry.slice(equals + 1), entry);
    if (key === '') throw new InvalidValue(`key=value in ${JSON.stringify(entry.trim())}`);
    if (attributes.has(key)) throw new InvalidValue(`each key once (${JSON.stringify(key)} occurs twice)`);
    attributes.set(key, value);
    sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (attributes.size > MAX_ENTRIES) throw new InvalidValue(`at most ${MAX_ENTRIES} attributes`);
  if (sizeBytes > MAX_BYTES) throw new InvalidValue(`at most ${MAX_BYTES} bytes of attributes`);
  return attributes;
}

/**
 * Leaves space for attributes of the sources: `host.name`, `log.file.path` (a path of 4 KiB) and some more.
 */
const MAX_ENTRIES = LIMITS.resourceEntries - 16;
const MAX_BYTES = LIMITS.resourceBytes - 6 * 1024;

function decode(text: string, entry: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    throw new InvalidValue(`percent-encoded UTF-8 in ${JSON.stringify(entry.trim())}`);
  }
}
