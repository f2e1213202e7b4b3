import { DatabaseError } from 'pg';
import { LOG_COLUMNS, LOG_TABLE } from '../../store/log-columns.ts';
import { SqlError, type SqlErrorKind } from '../../store/sql/sql-database.ts';

/**
 * What PostgreSQL's errors mean for us. By SQLSTATE (Appendix A of its manual), of which the first two characters are a
 * class:
 *
 *     08 57 53 55 58 and no SQLSTATE     it cannot be reached, ends, is short of something, or waits too long
 *     40                                 a conflict with another transaction: the same again may work at once
 *     22 23 44 54 P0                     it judges the content: a value, a constraint, a trigger's own word
 *     28 3D 3F 42 25 ... all others      we are refused or wrongly configured; a person must look
 */
const CONFLICT = '40';
const CONTENT: ReadonlySet<string> = new Set(['22', '23', '44', '54', 'P0']);

/** What is worth a try at once, in a new transaction. */
export function isConflict(error: unknown): boolean {
  return classOf(error) === CONFLICT || isPartitionChange(error);
}

/** The server was reached, and what it says is about the records. */
export function isAboutContent(error: unknown): boolean {
  return (
    CONTENT.has(classOf(error) ?? '') && !isPartitionChange(error) && foreignColumnOf(error) === undefined
  );
}

/** A column of the table that is not ours and must not be null, but has no default: no record can ever be stored. */
function foreignColumnOf(error: unknown): string | undefined {
  if (!(error instanceof DatabaseError) || error.code !== '23502') return undefined;
  return OUR_COLUMNS.has(error.column ?? '') ? undefined : error.column;
}

const OUR_COLUMNS: ReadonlySet<string> = new Set(LOG_COLUMNS);

/**
 * A row was on its way to the default partition when its day got a partition of its own: the server says that it
 * violates a constraint, and as it is none that somebody made, names none.
 */
function isPartitionChange(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '23514' && error.constraint === undefined;
}

/** Tables or the schema are not there (any more). */
export function isMissing(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === '42P01' || error.code === '3F000');
}

/**
 * For a person: what the server says, with its SQLSTATE. Without its detail, which quotes the row, and without anything
 * that a connection was made with.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof DatabaseError) {
    const hint = hintOf(error);
    return `${error.message} (SQLSTATE ${error.code ?? 'unknown'})${hint === '' ? '' : ` ${hint}`}`;
  }
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  // Node tries several addresses, and then says nothing but the code.
  if (error.message === '') return code ?? error.name;
  return error.message;
}

function hintOf(error: DatabaseError): string {
  const column = foreignColumnOf(error);
  if (column !== undefined) {
    return `The column "${column}" was added to the table and has no default: give it one, or drop "not null".`;
  }
  // COPY into a table for whose owner row-level security is forced.
  if (error.code === '0A000' && /row-level security/.test(error.message)) {
    return `Run "alter table ${LOG_TABLE} no force row level security": the owner of the table writes to it.`;
  }
  return error.code === '42501' ? PRIVILEGE_HINT : '';
}

const PRIVILEGE_HINT =
  'The role must own the schema it writes to (create schema ... authorization ...), or may create one (grant create on ' +
  'database ...).';

/** The row that COPY was at; counted from 0, within that COPY. */
export function rowOf(error: unknown): number | undefined {
  if (!(error instanceof DatabaseError)) return undefined;
  // In whatever language the server speaks: the first number behind the table.
  const line = /^COPY log_records\D+(\d+)/m.exec(error.where ?? '')?.[1];
  return line === undefined ? undefined : Number(line) - 1;
}

export function sqlErrorOf(error: unknown): SqlError {
  return error instanceof SqlError ? error : new SqlError(kindOf(error), reasonOf(error));
}

const KINDS: ReadonlyMap<string, SqlErrorKind> = new Map([
  ['57014', 'timeout'],
  ['55P03', 'busy'],
  ['53300', 'busy'],
  ['40', 'busy'],
  ['23', 'constraint'],
  ['22', 'statement'],
  ['25', 'statement'],
  ['0A', 'statement'],
  ['42', 'statement'],
  ['54', 'statement'],
]);

/** What the pool says when all of its connections stayed in use. */
const POOL_IS_BUSY = 'timeout exceeded when trying to connect';

function kindOf(error: unknown): SqlErrorKind {
  if (error instanceof Error && error.message === POOL_IS_BUSY) return 'busy';
  const code = error instanceof DatabaseError ? error.code : undefined;
  return KINDS.get(code ?? '') ?? KINDS.get(classOf(error) ?? '') ?? 'unavailable';
}

function classOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code?.slice(0, 2) : undefined;
}
