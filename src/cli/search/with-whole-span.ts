import { StoreReader } from '../../logstore/logs/store-reader.ts';
import { rfc3339Micro } from '../../logstore/sql/rfc3339-micro.ts';
import { type Sql, sql } from '../../logstore/sql/sql.ts';
import type { SqlDatabase } from '../../logstore/sql/sql-database.ts';
import { numberOrNull } from '../../logstore/sql/sql-row.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { LogQuestion } from '../monitor/logs/log-flags.ts';

const TIMEOUT_MS = 60_000;

/**
 * Counts in a running store cover the last day by default. A file is searched as a whole, however old it is:
 * an open time range is set to the first and the last record.
 */
export async function withWholeSpan<Question extends LogQuestion>(
  question: Question,
  database: SqlDatabase,
): Promise<Question> {
  if (question.kind !== 'histogram' && question.kind !== 'values') return question;
  const store = new StoreReader(database, systemClock, TIMEOUT_MS);
  const time = (value: Sql) => store.dialect.unixMicro(value);
  const [row] = await store.rows(
    sql`select ${time(sql`min(time)`)} as oldest, ${time(sql`max(time)`)} as newest from log_records`,
  );
  const oldest = row && numberOrNull(row, 'oldest');
  const newest = row && numberOrNull(row, 'newest');
  if (oldest == null || newest == null) return question;
  const span = { from: rfc3339Micro(oldest), to: rfc3339Micro(newest + 1) };
  return { ...question, request: { ...span, ...defined(question.request) } };
}

function defined<Request extends object>(request: Request): Request {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as Request;
}
