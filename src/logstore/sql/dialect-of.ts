import { clickhouseDialect } from './clickhouse-dialect.ts';
import { duckdbDialect } from './duckdb-dialect.ts';
import { postgresDialect } from './postgres-dialect.ts';
import type { SqlDialectName } from './sql-database.ts';
import type { SqlDialect } from './sql-dialect.ts';

const DIALECTS: Readonly<Record<SqlDialectName, SqlDialect>> = {
  duckdb: duckdbDialect,
  postgres: postgresDialect,
  clickhouse: clickhouseDialect,
};

export function dialectOf(name: SqlDialectName): SqlDialect {
  return DIALECTS[name];
}
