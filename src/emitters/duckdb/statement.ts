import type { DuckDBConnection, DuckDBPreparedStatement, DuckDBValue } from '@duckdb/node-api';
import type { SqlStatement, SqlValue } from '../../store/sql/sql.ts';
import { SqlError, type SqlRow } from '../../store/sql/sql-database.ts';

/** Whoever asks for more than this asks for something else. */
const MAX_ROWS = 200_000;

/** Runs one statement; rejects with what DuckDB says. */
export async function runStatement(
  connection: DuckDBConnection,
  { text, values }: SqlStatement,
): Promise<readonly SqlRow[]> {
  const prepared = await connection.prepare(text);
  try {
    bind(prepared, values);
    const result = await prepared.run();
    if (result.rowCount > MAX_ROWS)
      throw new SqlError('statement', `more than ${MAX_ROWS} rows are asked for`);
    const rows = await result.getRowObjects();
    return rows.map(plainRow);
  } finally {
    prepared.destroySync();
  }
}

export function bind(prepared: DuckDBPreparedStatement, values: readonly SqlValue[]): void {
  values.forEach((value, index) => {
    const at = index + 1;
    if (value === null) prepared.bindNull(at);
    else if (typeof value === 'string') prepared.bindVarchar(at, value);
    else if (typeof value === 'boolean') prepared.bindBoolean(at, value);
    else if (Number.isSafeInteger(value)) prepared.bindBigInt(at, BigInt(value));
    else prepared.bindDouble(at, value);
  });
}

function plainRow(row: Record<string, DuckDBValue>): SqlRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: DuckDBValue): SqlValue {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  const text = String(value);
  if (typeof value === 'object' && 'scale' in value) return Number(text);
  return text;
}
