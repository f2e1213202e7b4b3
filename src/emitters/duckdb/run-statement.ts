import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { SqlStatement, SqlValue } from '../../logstore/sql/sql.ts';
import { SqlError, type SqlRow } from '../../logstore/sql/sql-database.ts';
import { textCells } from './text-cells.ts';

/** A statement with more rows than this is a mistake. */
const MAX_ROWS = 200_000;

/** Runs one statement; rejects with DuckDB's error. */
export async function runStatement(
  connection: DuckDBConnection,
  { text, values }: SqlStatement,
): Promise<readonly SqlRow[]> {
  const prepared = await connection.prepare(text);
  try {
    bindValues(prepared, values);
    const result = await prepared.run();
    if (result.rowCount > MAX_ROWS)
      throw new SqlError('statement', `the result has more than ${MAX_ROWS} rows`);
    return await rowsOf(result);
  } finally {
    prepared.destroySync();
  }
}

export function bindValues(prepared: DuckDBPreparedStatement, values: readonly SqlValue[]): void {
  values.forEach((value, index) => {
    const at = index + 1;
    if (value === null) prepared.bindNull(at);
    else if (typeof value === 'string') prepared.bindVarchar(at, value);
    else if (typeof value === 'boolean') prepared.bindBoolean(at, value);
    else if (Number.isSafeInteger(value)) prepared.bindBigInt(at, BigInt(value));
    else prepared.bindDouble(at, value);
  });
}

async function rowsOf(result: DuckDBResult): Promise<readonly SqlRow[]> {
  const names = result.deduplicatedColumnNames();
  const chunks = await result.fetchAllChunks();
  return chunks.flatMap((chunk) => {
    const columns = names.map((_, column) => plainColumn(chunk, column));
    return Array.from({ length: chunk.rowCount }, (_, row) =>
      Object.fromEntries(names.map((name, column) => [name, columns[column]?.[row] ?? null])),
    );
  });
}

function plainColumn(chunk: DuckDBDataChunk, column: number): readonly SqlValue[] {
  const { typeId } = chunk.getColumnVector(column).type;
  if (typeId === DuckDBTypeId.VARCHAR) return textCells(chunk.chunk, column);
  return chunk.getColumnValues(column).map(plainValue);
}

function plainValue(value: DuckDBValue): SqlValue {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  const text = String(value);
  if (typeof value === 'object' && 'scale' in value) return Number(text);
  return text;
}
