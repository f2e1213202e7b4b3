import { dirname } from 'node:path';
import { duckdbType } from '../../src/emitters/duckdb/type.ts';
import { dialectOf } from '../../src/logstore/sql/dialect-of.ts';
import { benchEnvironment } from './bench-environment.ts';
import { insertGeneratedRows } from './generated-rows.ts';

export interface FillPlan {
  /** Of the database file, which no process has open. */
  readonly path: string;
  readonly rows: number;
  readonly fromUnixMs: number;
  readonly spanMs: number;
}

const PART_ROWS = 1_000_000;
const TIMEOUT_MS = 600_000;

/** Creates a store of DuckDB with access log rows that the engine generates. */
export async function fillDuckDb({ path, rows, fromUnixMs, spanMs }: FillPlan): Promise<void> {
  const [configured] = duckdbType.parse(JSON.stringify({ path, retention_age: 0 }));
  if (configured === undefined) throw new Error('DuckDB is not configured');
  const emitter = await duckdbType.create(configured.configuration, benchEnvironment(dirname(path)));
  await emitter.start();
  try {
    const { database } = emitter;
    if (database === undefined) throw new Error('DuckDB cannot be queried');
    for (let firstNumber = 0; firstNumber < rows; firstNumber += PART_ROWS) {
      const part = Math.min(PART_ROWS, rows - firstNumber);
      const insert = insertGeneratedRows(dialectOf(database.dialect), {
        fromUnixMicro: Math.round((fromUnixMs + (spanMs * firstNumber) / rows) * 1000),
        spanMicro: Math.round(((spanMs * part) / rows) * 1000),
        rows: part,
        firstNumber,
      });
      await database.run([insert], { timeoutMs: TIMEOUT_MS });
    }
  } finally {
    await emitter.stop(AbortSignal.timeout(60_000));
  }
}
