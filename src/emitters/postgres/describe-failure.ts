import { DatabaseError } from 'pg';
import { LOG_COLUMNS, LOG_TABLE } from '../../logstore/log-columns.ts';
import { SqlError, type SqlErrorKind } from '../../logstore/sql/sql-database.ts';

/**
 * The server's message with its SQLSTATE, for operators. Omits the detail, which quotes the row, and all
 * connection settings.
 */
export function describeFailure(error: unknown): string {
  if (error instanceof DatabaseError) {
    const hint = hintOf(error);
    return `${error.message} (SQLSTATE ${error.code ?? 'unknown'})${hint === '' ? '' : ` ${hint}`}`;
  }
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  // If Node tried several addresses, its error has only a code.
  if (error.message === '') return code ?? error.name;
  return error.message;
}

/**
 * Classifies PostgreSQL errors by SQLSTATE (Appendix A of its manual), whose first two characters are the
 * class:
 *
 *     08 57 53 55 58 and no SQLSTATE     unreachable, shutting down, out of resources, or a timeout
 *     40                                 a conflict with another transaction: an immediate retry may succeed
 *     22 23 44 54 P0                     a fault of the content: a value, a constraint, an error of a trigger
 *     28 3D 3F 42 25 ... all others      no access or misconfigured; an operator must act
 */
const CONFLICT = '40';
const CONTENT: ReadonlySet<string> = new Set(['22', '23', '44', '54', 'P0']);

/** Errors to retry immediately in a new transaction. */
export function isConflict(error: unknown): boolean {
  return classOf(error) === CONFLICT || isPartitionChange(error);
}

/** The server responded, and its error is about the records. */
export function isAboutContent(error: unknown): boolean {
  return (
    CONTENT.has(classOf(error) ?? '') && !isPartitionChange(error) && foreignColumnOf(error) === undefined
  );
}

/** A column added by the operator is "not null" without a default: no record can be stored. */
function foreignColumnOf(error: unknown): string | undefined {
  if (!(error instanceof DatabaseError) || error.code !== '23502') return undefined;
  return OUR_COLUMNS.has(error.column ?? '') ? undefined : error.column;
}

const OUR_COLUMNS: ReadonlySet<string> = new Set(LOG_COLUMNS);

/**
 * The day of a row got its own partition while the row was being written to the default partition: the server
 * reports a constraint violation without the name of a constraint.
 */
function isPartitionChange(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '23514' && error.constraint === undefined;
}

/** The tables or the schema do not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === '42P01' || error.code === '3F000');
}

function hintOf(error: DatabaseError): string {
  const column = foreignColumnOf(error);
  if (column !== undefined) {
    return `The column "${column}" was added to the table and has no default: give it one, or drop "not null".`;
  }
  // COPY into a table with forced row-level security for its owner.
  if (error.code === '0A000' && /row-level security/.test(error.message)) {
    return `Run "alter table ${LOG_TABLE} no force row level security": the owner of the table writes to it.`;
  }
  return error.code === '42501' ? PRIVILEGE_HINT : '';
}

/** The privileges that the role of the emitter needs. */
export const PRIVILEGE_HINT =
  'The role must own the schema it writes to (create schema ... authorization ...), or may create one (grant create on ' +
  'database ...).';

/** The row at which COPY failed, counted from 0 within that COPY. */
export function failedRow(error: unknown): number | undefined {
  if (!(error instanceof DatabaseError)) return undefined;
  // Works for every language of the server: the first number after the table name.
  const line = /^COPY log_records\D+(\d+)/m.exec(error.where ?? '')?.[1];
  return line === undefined ? undefined : Number(line) - 1;
}

export function toSqlError(error: unknown): SqlError {
  return error instanceof SqlError ? error : new SqlError(kindOf(error), describeFailure(error));
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

/** The pool's error if all its connections stay in use. */
const POOL_IS_BUSY = 'timeout exceeded when trying to connect';

function kindOf(error: unknown): SqlErrorKind {
  if (error instanceof Error && error.message === POOL_IS_BUSY) return 'busy';
  const code = error instanceof DatabaseError ? error.code : undefined;
  return KINDS.get(code ?? '') ?? KINDS.get(classOf(error) ?? '') ?? 'unavailable';
}

function classOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code?.slice(0, 2) : undefined;
}
