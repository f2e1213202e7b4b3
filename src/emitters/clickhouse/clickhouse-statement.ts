import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { columnType, nullable, sqlLiteral } from './sql-literal.ts';

/**
 * A shared statement (`logstore/`, `monitoring/`) in the syntax of ClickHouse. The shared statements are SQL that
 * DuckDB and PostgreSQL understand; ClickHouse differs in
 *
 *     x::text                       every cast must say that the result may be null
 *     $1::text                      a literal of the type
 *     left, length                  count bytes: their forms for characters
 *     collate "C"                   texts are always compared by their bytes
 *     offset 5 limit 1              in the other order
 *     generate_series as s(number)  the function `numbers`
 *
 * Texts between quotes are not changed. The result may be run as it is, or is one of the changes below.
 */
export function clickhouseStatement({ text, values }: SqlStatement): ClickHouseStatement {
  const rewritten = rewrite(text.trim());
  const write = (part: string) =>
    part.replaceAll(PLACEHOLDER, (_, index: string, type?: string) =>
      sqlLiteral(values[Number(index) - 1] ?? null, type),
    );
  return changeOf(rewritten, write) ?? { kind: 'select', text: write(rewritten) };
}

export type ClickHouseStatement = Select | Insert | Update | Delete;

export interface Select {
  readonly kind: 'select';
  readonly text: string;
}

/** ClickHouse returns no rows of a change, so `returned` is a query for them, which is run before it. */
export interface Insert {
  readonly kind: 'insert';
  readonly text: string;
  readonly returned: string | undefined;
}

/** `isThere`: a query that returns a row if there is something to change. A change is expensive, also of nothing. */
export interface Update {
  readonly kind: 'update';
  readonly text: string;
  readonly isThere: string;
  /**
   * A query for the changed rows, which is run after the change: their condition must still be true, except for a
   * definition with a new `created_at`.
   */
  readonly returned: string | undefined;
}

export interface Delete {
  readonly kind: 'delete';
  readonly text: string;
  /** A query for the rows to delete. */
  readonly isThere: string;
}

const PLACEHOLDER = /\$(\d+)(?:::([a-z0-9]+))?/g;
const QUOTED = /('(?:[^']|'')*')/;

/** The odd parts of a split by quoted texts are these texts. */
function rewrite(text: string): string {
  return text
    .split(QUOTED)
    .map((part, index) => (index % 2 === 1 ? part : rewritePlain(part)))
    .join('');
}

function rewritePlain(part: string): string {
  return part
    .replaceAll(/(\$\d+)?::([a-z][a-z0-9]*)/g, (whole, placeholder: string | undefined, type: string) =>
      placeholder === undefined ? `::${nullable(columnType(type)).replaceAll("\\'", "'")}` : whole,
    )
    .replaceAll(/ collate "C"/g, '')
    .replaceAll(/\b(left|length)\(/g, '$1UTF8(')
    .replaceAll(/\boffset (\S+) limit (\d+)/g, 'limit $2 offset $1')
    .replaceAll(/\bgenerate_series\((.*?), (.*?)\) as series\(number\)/g, 'numbers($1, $2) as series');
}

const RETURNING = /\s+returning\s+([\w, ]+)$/i;
const INSERT = /^insert into (\w+) \(([^)]*)\)\s*(.*)$/is;
const UPDATE = /^update (\w+) set (.+?)\s+where\s+(.*)$/is;
const DELETE = /^delete from (\w+)(?:\s+where\s+(.*))?$/is;
const ON_CONFLICT = /\s+on conflict \((\w+)\)\s+do nothing$/i;
const VALUES = /^values \((.*)\)$/is;
/** Locks a row in other databases. */
const NO_CHANGE = /^(\w+) = \1$/;

function changeOf(text: string, write: (part: string) => string): ClickHouseStatement | undefined {
  const returning = RETURNING.exec(text)?.[1];
  const change = text.replace(RETURNING, '');
  const [, inserted, columns = '', rows = ''] = INSERT.exec(change) ?? [];
  if (inserted !== undefined) return insertOf({ table: inserted, columns, rows, returning }, write);
  const [, updated, assignments = '', where = ''] = UPDATE.exec(change) ?? [];
  if (updated !== undefined) return updateOf({ table: updated, assignments, where, returning }, write);
  const [, deletedFrom, condition = 'true'] = DELETE.exec(change) ?? [];
  if (deletedFrom === undefined) return undefined;
  const isThere = write(`select ${returning ?? '1 as one'} from ${deletedFrom} where ${condition}`);
  return {
    kind: 'delete',
    text: write(`alter table ${deletedFrom} delete where ${condition}`),
    isThere: returning === undefined ? `${isThere} limit 1` : isThere,
  };
}

interface InsertParts {
  readonly table: string;
  readonly columns: string;
  readonly rows: string;
  readonly returning: string | undefined;
}

/** A row that must not exist twice is selected only if it does not exist. */
function insertOf({ table, columns, rows, returning }: InsertParts, write: (part: string) => string): Insert {
  const key = ON_CONFLICT.exec(rows)?.[1];
  const plain = rows.replace(ON_CONFLICT, '');
  const names = columns.split(',').map((name) => name.trim());
  const source = key === undefined ? plain : withoutKnown(table, names, VALUES.exec(plain)?.[1] ?? '', key);
  const index = returning === undefined ? -1 : names.indexOf(returning.trim());
  return {
    kind: 'insert',
    text: write(`insert into ${table} (${columns}) ${source}`),
    returned:
      returning === undefined
        ? undefined
        : write(
            `select tupleElement(row, ${index + 1}) as ${returning} from (select tuple(*) as row from (${source}))`,
          ),
  };
}

function withoutKnown(table: string, names: readonly string[], values: string, key: string): string {
  const columns = names.map((name) => `new_${name} as ${name}`).join(', ');
  const aliases = names.map((name) => `new_${name}`).join(', ');
  return `select ${columns} from (values (${values})) as new (${aliases}) where new_${key} not in (select ${key} from ${table})`;
}

interface UpdateParts {
  readonly table: string;
  readonly assignments: string;
  readonly where: string;
  readonly returning: string | undefined;
}

function updateOf(
  { table, assignments, where, returning }: UpdateParts,
  write: (part: string) => string,
): ClickHouseStatement {
  if (NO_CHANGE.test(assignments)) return { kind: 'select', text: 'select 1 as one limit 0' };
  return {
    kind: 'update',
    text: write(`alter table ${table} update ${assignments} where ${where}`),
    isThere: write(`select 1 as one from ${table} where ${where} limit 1`),
    returned:
      returning === undefined
        ? undefined
        : write(`select distinct ${returning} from ${table} where ${changedRows(assignments, where)}`),
  };
}

/**
 * Selects the rows of a change after it. A changed definition has another version, `created_at`, so its condition is false
 * then: it is found by all its new values. The values of other rows, such as the lease, may be those of another client.
 */
function changedRows(assignments: string, where: string): string {
  return VERSION.test(assignments) ? `(${where}) or (${asConditions(assignments)})` : where;
}

const VERSION = /\bcreated_at\s*=/;

function asConditions(assignments: string): string {
  return partsOf(assignments)
    .map((each) => each.replace(/^\s*(\w+)\s*=\s*null\s*$/i, '$1 is null'))
    .join(' and ');
}

/** The parts between commas that are in no parentheses. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let begin = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(begin, at));
      begin = at + 1;
    }
  }
  return [...parts, text.slice(begin)];
}
