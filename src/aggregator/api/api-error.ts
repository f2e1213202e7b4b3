import { CursorError, FilterError } from '../../logstore/logs/log-search.ts';
import { SqlError, type SqlErrorKind } from '../../logstore/sql/sql-database.ts';
import { MonitorError, type MonitorErrorKind } from '../../monitoring/monitor.ts';
import { HttpError } from '../../runtime/http/http-error.ts';

/** Converts an error of the store or the monitor to an answer; undefined: it is unexpected. */
export function apiError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (error instanceof SqlError) return SQL_ERRORS[error.kind](error.message);
  if (error instanceof MonitorError)
    return new HttpError(MONITOR_STATUS[error.kind], error.kind, error.message);
  if (error instanceof CursorError) {
    const problems = [{ path: 'cursor', message: error.message }];
    return new HttpError(400, 'invalid-request', 'Cannot continue at the cursor.', { problems });
  }
  if (error instanceof FilterError) {
    const problems = [{ path: error.path, message: error.message }];
    return new HttpError(400, 'invalid-request', 'The request has a problem.', { problems });
  }
  return undefined;
}

export function busy(message: string): HttpError {
  return new HttpError(503, 'busy', message, { headers: { 'retry-after': '1' } });
}

export function timedOut(): HttpError {
  return new HttpError(
    504,
    'timeout',
    'The store did not answer in time. Query a shorter time or fewer records.',
  );
}

export function unavailable(message: string): HttpError {
  return new HttpError(503, 'unavailable', message, { headers: { 'retry-after': '5' } });
}

export function noStore(): HttpError {
  return new HttpError(404, 'no-store', `This aggregator has no store to query: ${STORE_VARIABLES}.`);
}

const STORE_VARIABLES = 'set AGGREGATOR_DUCKDB_CONFIGURATION or AGGREGATOR_POSTGRES_CONFIGURATION';

const SQL_ERRORS: Readonly<Record<SqlErrorKind, (message: string) => HttpError>> = {
  timeout: timedOut,
  busy,
  unavailable,
  constraint: (message) => new HttpError(409, 'conflict', message),
  // The input of the client has been checked: the statement is wrong, not the request.
  statement: () =>
    new HttpError(500, 'internal', 'The store rejected the query: see the log of the aggregator.'),
};

const MONITOR_STATUS: Readonly<Record<MonitorErrorKind, number>> = {
  'not-found': 404,
  exists: 409,
  'in-use': 409,
  invalid: 422,
};
