import { type Property, parseProperty, RECORD_PROPERTIES } from '../../expressions/property.ts';
import { ACCESS_LOG_ALIASES } from '../../formats/access-log-aliases.ts';
import { editDistance, nearestName } from '../../runtime/configuration/unknown-variables.ts';
import { ATTRIBUTES, attributeExists } from '../property-sql.ts';
import { join, type Sql, sql } from '../sql/sql.ts';
import { SqlError } from '../sql/sql-database.ts';
import { numberOf, textOf } from '../sql/sql-row.ts';
import type { UnknownProperty } from './log-requests.ts';
import type { StoreReader } from './store-reader.ts';

/** Only the newest records are checked, so that the query is cheap in a store of any size. */
const MAX_RECORDS = 10_000;
const MAX_NAMES = 2000;
const MAX_NEAREST = 3;
/** An expression may have 200 terms, and a request several expressions. */
const MAX_CHECKED = 100;

/**
 * Returns the properties among these that none of the newest records has: they may be misspelt. Properties
 * with a column are always known, and an empty store knows nothing. A failed query returns nothing, because
 * it is not part of the answer.
 */
export async function unknownProperties(
  store: StoreReader,
  names: readonly string[],
): Promise<readonly UnknownProperty[]> {
  try {
    return await look(store, names);
  } catch (error) {
    if (error instanceof SqlError) return [];
    throw error;
  }
}

async function look(store: StoreReader, names: readonly string[]): Promise<readonly UnknownProperty[]> {
  const asked = [...new Set(names)].filter((name) => !isAlias(name)).map(parseProperty);
  const conditions = asked
    .flatMap((property) => {
      const exists = attributeExists(store.dialect, property);
      return exists === undefined ? [] : [{ property, exists }];
    })
    .slice(0, MAX_CHECKED);
  if (conditions.length === 0) return [];
  const [row] = await store.rows(sql`select count(*) as looked, (${IS_MORE}) as is_more,
      ${join(
        conditions.map(({ exists }, at) => sql`count(*) filter (where ${exists}) as ${foundColumn(at)}`),
        sql`, `,
      )}
    from (${NEWEST}) as newest`);
  const looked = row === undefined ? 0 : numberOf(row, 'looked');
  if (row === undefined || looked === 0) return [];
  const unknown = conditions.filter((_, at) => numberOf(row, `found_${at}`) === 0);
  if (unknown.length === 0) return [];
  const known = await knownNames(store);
  const isAll = numberOf(row, 'is_more') === 0;
  return unknown.map(({ property }) => {
    const nearest = [...nearestNames(nameOf(property), known)];
    const { name } = property;
    return {
      property: name,
      nearest,
      message: sentence(nameOf(property), nearest, isAll ? undefined : looked),
    };
  });
}

const NEWEST = sql`select attributes from log_records order by time desc limit ${MAX_RECORDS}::bigint`;
/** 1 if there are more records. */
const IS_MORE = sql`select count(*) from (select 1 from log_records offset ${MAX_RECORDS}::bigint limit 1) as more`;
/** The name of a result column. */
function foundColumn(at: number): Sql {
  return { parts: [`found_${at}`], values: [] };
}

async function knownNames(store: StoreReader): Promise<readonly string[]> {
  const found = await store.rows(sql`select distinct name from (
      select ${store.dialect.attributeKeys(ATTRIBUTES)} as name from (${NEWEST}) as newest
    ) as names limit ${MAX_NAMES}::bigint`);
  const aliases = ACCESS_LOG_ALIASES.map(({ alias }) => alias);
  return [...new Set([...found.map((row) => textOf(row, 'name')), ...aliases, ...RECORD_PROPERTIES])];
}

/** A documented name is known, even if no record has it. */
function isAlias(name: string): boolean {
  return ACCESS_LOG_ALIASES.some(({ alias }) => alias === name.trim());
}

function nameOf(property: Property): string {
  return property.kind === 'section' ? nameOf(property.of) : property.name;
}

/** The nearest names by spelling, then names that contain the name as a part: `status` in `status_code`. */
function nearestNames(name: string, known: readonly string[]): ReadonlySet<string> {
  const nearest = nearestName(name, known);
  const longer = known
    .filter((each) => each.split(/[._-]/).includes(name))
    .toSorted((a, b) => editDistance(name, a) - editDistance(name, b));
  return new Set([...(nearest === undefined ? [] : [nearest]), ...longer].slice(0, MAX_NEAREST));
}

/** `looked`: the number of checked records, if these are not all. */
function sentence(name: string, nearest: readonly string[], looked: number | undefined): string {
  const none = looked === undefined ? 'No record has' : `None of the newest ${looked} records has`;
  const hint = nearest.length === 0 ? '.' : `; did you mean ${nearest.join(' or ')}?`;
  return `${none} the attribute ${name}${hint}`;
}
