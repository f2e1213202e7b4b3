import { SqlError, type SqlErrorKind } from '../../logstore/sql/sql-database.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { adviceFor } from './store-unavailable.ts';

/** Classifies an error of DuckDB by the first words of its message (`Constraint Error: ...`). */
const KINDS: readonly (readonly [RegExp, SqlErrorKind])[] = [
  [/^INTERRUPT Error/, 'timeout'],
  [/^Constraint Error/, 'constraint'],
  [/^TransactionContext Error: .*(?:[Cc]onflict|transactions? active)/, 'busy'],
  [/^Out of Memory Error/, 'busy'],
  [/^(?:IO|FATAL|INTERNAL|Serialization|Connection) Error/, 'unavailable'],
  [/database has been invalidated|Failed to (?:connect|open)/, 'unavailable'],
];

const MAX_MESSAGE = 1000;

export function sqlFailure(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  const message = `${messageOf(error)}${adviceFor(messageOf(error))}`;
  const kind = KINDS.find(([pattern]) => pattern.test(message))?.[1] ?? 'statement';
  return new SqlError(kind, message);
}

/** The first line; the others quote the statement. */
export function messageOf(error: unknown): string {
  const message = errorMessage(error);
  return (message.split('\n', 1)[0] ?? '').slice(0, MAX_MESSAGE);
}

/** Whether the open database cannot be used any more: everything fails from now on. */
export function isFatal(error: unknown): boolean {
  return /^(?:FATAL|INTERNAL) Error|database has been invalidated/.test(messageOf(error));
}
