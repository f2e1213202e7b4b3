import { ACCESS_LOG_ALIASES } from '../formats/access-log-aliases.ts';
import { ATTRIBUTES_PREFIX, type Property } from './property.ts';
import { readBrackets } from './property-brackets.ts';

/** A key in `attributes`, or keys of nested objects, the outermost first. Each key reaches a database as a value. */
export type AttributePath = string | readonly string[];

/**
 * Each dot may separate keys or be part of a key. With more dots than this, either all or none separate keys.
 */
const MAX_FREE_DOTS = 3;

/** The OpenTelemetry names of columns for values of the resource. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([['service', 'service.name']]);

/**
 * The paths in `attributes` where a record may have a property, the most likely path first:
 *
 *     order.id        {"order.id": 5}, or {"order": {"id": 5}}
 *     status_code     {"http.response.status_code": "abc"}, which does not fit its column, or {"status_code": 500}
 *     service         {"service": "checkout"}
 *     ['order.id']    only {"order.id": 5}
 */
export function attributePaths(property: Property): readonly AttributePath[] {
  if (property.kind === 'section') return [];
  const exact = property.kind === 'attribute' ? property.path : readBrackets(property.name);
  if (exact !== undefined) return [exact];
  const rest = property.kind === 'attribute' ? (property.rest ?? []) : [];
  const names = rest.length > 0 && property.kind === 'attribute' ? [property.key] : attributeNames(property);
  const paths = names
    .flatMap(pathsOf)
    .map((path) => [...(typeof path === 'string' ? [path] : path), ...rest]);
  return [...new Map(paths.map((path) => [JSON.stringify(path), path])).values()];
}

function attributeNames(property: Exclude<Property, { kind: 'section' }>): readonly string[] {
  const { name } = property;
  if (name.startsWith(ATTRIBUTES_PREFIX)) return [name.slice(ATTRIBUTES_PREFIX.length), name];
  return [
    ACCESS_LOG_ALIASES.find(({ alias }) => alias === name)?.attribute,
    OTHER_NAMES.get(name),
    name,
  ].filter((each) => each !== undefined);
}

/** The name as one key first, then with more of its dots as separators. */
function pathsOf(name: string): readonly AttributePath[] {
  const parts = name.split('.');
  const dots = parts.length - 1;
  if (dots > MAX_FREE_DOTS) return [[name], parts];
  return Array.from({ length: 2 ** dots }, (_, separators) => pathWith(parts, separators));
}

/** `separators`: a bit for each dot, set where the dot separates two keys. */
function pathWith([first = '', ...rest]: readonly string[], separators: number): AttributePath {
  const path = [first];
  rest.forEach((part, dot) => {
    if ((separators >> dot) % 2 === 1) path.push(part);
    else path[path.length - 1] += `.${part}`;
  });
  return path;
}
