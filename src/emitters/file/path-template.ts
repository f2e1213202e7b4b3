import { createHash } from 'node:crypto';
import type { Resource } from '../../records/resource.ts';

/**
 * A path with places that the resource fills:
 *
 *     /var/log/all/{host.name}/{service.name}.log
 *
 * What fills a place comes from other machines. It can never leave its place: it holds no slash, does not begin with a
 * dot, and is not empty (`unknown` stands for what the resource does not say).
 */
export interface PathTemplate {
  readonly text: string;
  /** Text and names of attributes in turn, text first and last. */
  readonly parts: readonly string[];
}

const PLACE = /\{([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})\}/;

/** undefined when a brace is not part of a place. */
export function parsePathTemplate(text: string): PathTemplate | undefined {
  const parts = text.split(PLACE);
  const isWhole = parts.every((part, index) => index % 2 === 1 || !/[{}]/.test(part));
  return isWhole ? { text, parts } : undefined;
}

export function expandPath({ text, parts }: PathTemplate, resource: Resource): string {
  if (parts.length === 1) return text;
  const path = parts
    .map((part, index) => (index % 2 === 0 ? part : sanitized(resource.get(part) ?? '')))
    .join('');
  return path.split('/').map(shortened).join('/');
}

const UNWANTED = /[/\\\p{Cc}]|^\./gu;

function sanitized(value: string): string {
  return value === '' ? 'unknown' : value.replace(UNWANTED, '_');
}

/** Room for the endings of rotated files, within the 255 bytes that file systems give a name. */
export const MAX_NAME_BYTES = 200;

/** A name that fits, distinct from every other as far as a hash can tell. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  // Whole characters only: the bytes at the cut are put back as U+FFFD, which goes.
  const head = Buffer.from(name)
    .subarray(0, MAX_NAME_BYTES - 20)
    .toString()
    .replace(/\ufffd+$/, '');
  return `${head}-${hash}`;
}
