import { ACCESS_LOG_ALIASES } from '../formats/access-log-aliases.ts';
import { ATTRIBUTE_COLUMNS } from './log-columns.ts';
import { ATTRIBUTES_PREFIX, parseProperty, RECORD_PROPERTIES } from './property.ts';
import { attributePaths } from './property-paths.ts';
import { keysOf } from './sql/shown-value.ts';
import type { AttributePath } from './sql/sql-dialect.ts';

/**
 * A record may bring an attribute that has the name of a column, such as `source` or `status_code`. A condition on the
 * column then has to read `attributes`, too, which costs far more than the column. Few stores have such records, so a
 * store that can note it keeps which of these names its records have brought.
 */
export type OwnNames = ReadonlySet<string>;

/** The table of a store that notes them. `until`: for ANY_NAME alone. */
export const OWN_NAMES_TABLE = 'own_names';

/** Instead of names: the records that were observed until then may have brought any. */
export const ANY_NAME = '*';

const attributeNames = ATTRIBUTE_COLUMNS.map(({ attribute }) => attribute);

const columnProperties = [
  ...RECORD_PROPERTIES,
  ...ACCESS_LOG_ALIASES.map(({ alias }) => alias),
  ...attributeNames,
  ...attributeNames.map((name) => `${ATTRIBUTES_PREFIX}${name}`),
  ...attributeNames.map((name) => `[${JSON.stringify(name)}]`),
].map(parseProperty);

/** The keys of `attributes` below which a property with a column may be found. */
export const NOTED_KEYS: ReadonlySet<string> = new Set(
  columnProperties
    .filter(({ kind }) => kind === 'column')
    .flatMap(attributePaths)
    .map(outermost),
);

/** Whether a record may have something at this path. `names`: those that the store has noted; undefined: it notes none. */
export function mayBeBrought(path: AttributePath, names: OwnNames | undefined): boolean {
  const key = outermost(path);
  return names === undefined || names.has(ANY_NAME) || names.has(key) || !NOTED_KEYS.has(key);
}

function outermost(path: AttributePath): string {
  return keysOf(path)[0] ?? '';
}
