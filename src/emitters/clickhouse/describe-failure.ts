import { ClickHouseError } from '@clickhouse/client';
import { SqlError, type SqlErrorKind } from '../../logstore/sql/sql-database.ts';

/** The first line of the server's message with its code, for operators. Contains no setting of the connection. */
export function describeFailure(error: unknown): string {
  if (error instanceof ClickHouseError) {
    const [line = ''] = error.message.split('\n');
    return `${line.slice(0, MAX_MESSAGE)} (code ${error.code}${error.type === undefined ? '' : `, ${error.type}`})`;
  }
  if (!(error instanceof Error)) return String(error);
  // If Node tried several addresses, its error has only a code.
  return error.message === '' ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}

const MAX_MESSAGE = 500;

/**
 * Classifies ClickHouse's errors by their code (`src/Common/ErrorCodes.cpp` of the server). Only a constraint of the
 * table is a fault of the content: the rows are in a format without texts to parse. Every other error is retried.
 */
export function isAboutContent(error: unknown): boolean {
  return codeOf(error) === VIOLATED_CONSTRAINT;
}

/** The tables or the database do not exist. */
export function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === UNKNOWN_TABLE || code === UNKNOWN_DATABASE;
}

export function isDatabaseMissing(error: unknown): boolean {
  return codeOf(error) === UNKNOWN_DATABASE;
}

/** The server did not answer: another one may. */
export function isUnreachable(error: unknown): boolean {
  return codeOf(error) === undefined;
}

export function toSqlError(error: unknown): SqlError {
  return error instanceof SqlError ? error : new SqlError(kindOf(error), describeFailure(error));
}

const VIOLATED_CONSTRAINT = '469';
const UNKNOWN_TABLE = '60';
const UNKNOWN_DATABASE = '81';

const KINDS: ReadonlyMap<string, SqlErrorKind> = new Map([
  // TIMEOUT_EXCEEDED, TOO_SLOW, SOCKET_TIMEOUT
  ['159', 'timeout'],
  ['160', 'timeout'],
  ['209', 'timeout'],
  // MEMORY_LIMIT_EXCEEDED: less work may succeed
  ['241', 'timeout'],
  // TOO_MANY_SIMULTANEOUS_QUERIES
  ['202', 'busy'],
  [UNKNOWN_TABLE, 'unavailable'],
  [UNKNOWN_DATABASE, 'unavailable'],
  // NETWORK_ERROR, NO_ZOOKEEPER, TABLE_IS_READ_ONLY, TOO_MANY_PARTS, NOT_ENOUGH_SPACE, ALL_CONNECTION_TRIES_FAILED
  ['210', 'unavailable'],
  ['225', 'unavailable'],
  ['242', 'unavailable'],
  ['243', 'unavailable'],
  ['252', 'unavailable'],
  ['279', 'unavailable'],
  // ACCESS_DENIED, AUTHENTICATION_FAILED, UNKNOWN_USER, REQUIRED_PASSWORD, QUOTA_EXCEEDED, KEEPER_EXCEPTION
  ['497', 'unavailable'],
  ['516', 'unavailable'],
  ['192', 'unavailable'],
  ['194', 'unavailable'],
  ['201', 'unavailable'],
  ['999', 'unavailable'],
]);

function kindOf(error: unknown): SqlErrorKind {
  const code = codeOf(error);
  return code === undefined ? 'unavailable' : (KINDS.get(code) ?? 'statement');
}

function codeOf(error: unknown): string | undefined {
  return error instanceof ClickHouseError ? error.code : undefined;
}

/** What the operator can do. */
export function remedyFor(error: unknown): string | undefined {
  const code = codeOf(error);
  if (code === '516' || code === '192' || code === '194') return 'Correct the user and the password';
  if (code === '497') return 'Grant the user SELECT, INSERT, ALTER, CREATE and DROP on the database';
  return code === undefined ? 'Check the url, the network and the TLS settings' : undefined;
}
