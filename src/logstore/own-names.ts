import { attributePaths } from '../expressions/attribute-paths.ts';
import { ATTRIBUTES_PREFIX, parseProperty, RECORD_PROPERTIES } from '../expressions/property.ts';
import { ACCESS_LOG_ALIASES } from '../formats/access-log-aliases.ts';
import { ATTRIBUTE_COLUMNS } from './log-columns.ts';
import { keysOf } from './sql/shown-value.ts';
import type { AttributePath } from './sql/sql-dialect.ts';

/**
 * A record may have an attribute with the name of a column, such as `source` or `status_code`. A condition on
 * the column then must also read `attributes`, which is far more expensive. Few stores have such records, so
 * a store that supports it keeps a list of these names.
 */
export type OwnNames = ReadonlySet<string>;

/** The table with these names. `until`: only for ANY_NAME. */
export const OWN_NAMES_TABLE = 'own_names';

/** A wildcard: records that were observed until then may have any of the names. */
export const ANY_NAME = '*';

const attributeNames = ATTRIBUTE_COLUMNS.map(({ attribute }) => attribute);

const columnProperties = [
  ...RECORD_PROPERTIES,
  ...ACCESS_LOG_ALIASES.map(({ alias }) => alias),
  ...attributeNames,
  ...attributeNames.map((name) => `${ATTRIBUTES_PREFIX}${name}`),
  ...attributeNames.map((name) => `[${JSON.stringify(name)}]`),
].map(parseProperty);

/** The keys of `attributes` under which a property with a column may be found. */
export const NOTED_KEYS: ReadonlySet<string> = new Set(
  columnProperties
    .filter(({ kind }) => kind === 'column')
    .flatMap(attributePaths)
    .map(outermost),
);

/**
 * Whether a record may have a value at this path. `names`: the noted names; undefined: the store notes none.
 */
export function mayBeBrought(path: AttributePath, names: OwnNames | undefined): boolean {
  const key = outermost(path);
  return names === undefined || names.has(ANY_NAME) || names.has(key) || !NOTED_KEYS.has(key);
}

function outermost(path: AttributePath): string {
  return keysOf(path)[0] ?? '';
}
