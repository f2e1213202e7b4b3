import { createHash } from 'node:crypto';
import type { Attributes } from '../../records/log-record.ts';
import { ownText } from '../../records/record-origin.ts';
import type { Resource } from '../../records/resource.ts';

/**
 * A path with placeholders for resource attributes:
 *
 *     /var/log/all/{host.name}/{service.name}.log
 *
 * `{record.NAME}` is the attribute of the record itself, such as the host that wrote a relayed message; a record without
 * it has that of its resource:
 *
 *     /var/log/all/{record.host.name}.log
 *
 * The values come from other machines and are sanitized: a value contains no slash, does not begin with a
 * dot, and is not empty (`unknown` replaces a missing attribute). So it cannot select another directory.
 */
export interface PathTemplate {
  readonly text: string;
  /** Text and attribute names alternate, with text first and last. */
  readonly parts: readonly string[];
}

const PLACE = /\{([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})\}/;

/** Returns undefined if a brace is not part of a placeholder. */
export function parsePathTemplate(text: string): PathTemplate | undefined {
  const parts = text.split(PLACE);
  const isWhole = parts.every((part, index) => index % 2 === 1 || !/[{}]/.test(part));
  return isWhole ? { text, parts } : undefined;
}

/** Without attributes of a record, those of the resource are used. */
export function expandPath(
  { text, parts }: PathTemplate,
  resource: Resource,
  attributes: Attributes = NO_ATTRIBUTES,
): string {
  if (parts.length === 1) return text;
  const path = parts
    .map((part, index) => (index % 2 === 0 ? part : sanitized(valueNamed(part, resource, attributes))))
    .join('');
  return path.split('/').map(shortened).join('/');
}

/** Whether records with one resource can have different paths. */
export function readsRecords({ parts }: PathTemplate): boolean {
  return parts.some((part, index) => index % 2 === 1 && part.startsWith(OF_RECORD));
}

const OF_RECORD = 'record.';
const NO_ATTRIBUTES: Attributes = new Map();

function valueNamed(name: string, resource: Resource, attributes: Attributes): string {
  if (!name.startsWith(OF_RECORD)) return resource.get(name) ?? '';
  const own = name.slice(OF_RECORD.length);
  return ownText({ attributes }, own) ?? resource.get(own) ?? '';
}

const UNWANTED = /[/\\\p{Cc}]|^\./gu;

function sanitized(value: string): string {
  return value === '' ? 'unknown' : value.replace(UNWANTED, '_');
}

/** File systems limit a name to 255 bytes; this leaves room for the suffixes of rotated files. */
export const MAX_NAME_BYTES = 200;

/** Shortens a long name and appends a hash to keep it unique. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  // Removes the U+FFFD that replaces an incomplete character at the end.
  const head = Buffer.from(name)
    .subarray(0, MAX_NAME_BYTES - 20)
    .toString()
    .replace(/\ufffd+$/, '');
  return `${head}-${hash}`;
}
