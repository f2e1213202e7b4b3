import type { PoolClient } from 'pg';
import { LOG_TABLE } from '../../logstore/log-columns.ts';
import type { ExpiredSpan } from './expired-span.ts';

/**
 * Partitions of `log_records` by PostgreSQL itself, without TimescaleDB.
 *
 *     log_records_old        everything before the day that was 60 days ago when the table was created: empty, or
 *                            imported from old files
 *     log_records_20261120   a day in UTC; created before the day, or when its records arrive
 *     log_records_default    all other rows: of the far future (wrong clocks), or of past days without a partition
 *
 * A writer never waits for a partition: rows of a day without one are stored in the default partition, and
 * moved when the partition is created. This locks only the default partition, which is nearly empty; readers
 * and writers of other partitions are not blocked (ATTACH PARTITION, not CREATE TABLE ... PARTITION OF, which
 * locks the whole table).
 *
 * LIMITS. 60 days in one step; 1,000 partitions; 400 days back.
 */
const MAX_PARTITIONS = 1000;
const OLD_DAYS = 60;
const AHEAD_DAYS = 2;
/** Older days are searched too rarely to justify the planning cost of their partitions. */
const REACH_DAYS = 400;
/** Maximum number of partitions created at a time. */
export const STEP_DAYS = 60;
const DAY_MS = 86_400_000;
const PARTITION = /^log_records_(\d{8})$/;

export async function createPartitionedTable(
  client: PoolClient,
  columns: string,
  nowUnixMs: number,
): Promise<void> {
  await client.query(`create table ${LOG_TABLE} (${columns}) partition by range (time)`);
  await client.query(`create table ${LOG_TABLE}_default partition of ${LOG_TABLE} default`);
  const firstDay = dayOf(nowUnixMs) - OLD_DAYS;
  await client.query(
    `create table ${LOG_TABLE}_old partition of ${LOG_TABLE} for values from (minvalue) to ('${textOf(firstDay)}')`,
  );
  await addDays(client, daysAhead(nowUnixMs));
}

/** From yesterday, for late records, to the day after tomorrow. */
export function daysAhead(nowUnixMs: number): readonly number[] {
  const today = dayOf(nowUnixMs);
  return Array.from({ length: AHEAD_DAYS + 2 }, (_, index) => today - 1 + index);
}

/** Returns those of the days that should have a partition. */
export function daysWorthAPartition(days: Iterable<number>, nowUnixMs: number): readonly number[] {
  const today = dayOf(nowUnixMs);
  return [...days].filter((day) => day >= today - REACH_DAYS && day <= today + AHEAD_DAYS);
}

/** The days that have a partition, and the first day after `log_records_old`. */
export async function readPartitions(
  client: PoolClient,
): Promise<{ days: ReadonlySet<number>; firstDay: number; count: number }> {
  const { rows } = await client.query<{ name: string; bound: string }>(
    `select relname as name, pg_get_expr(relpartbound, pg_class.oid) as bound
     from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = '${LOG_TABLE}'::regclass`,
  );
  const days = rows.flatMap(({ name }) => {
    const day = dayOfName(name);
    return day === undefined ? [] : [day];
  });
  const old = rows.find(({ name }) => name === `${LOG_TABLE}_old`);
  const end = /TO \('([^']+)'\)/.exec(old?.bound ?? '')?.[1];
  // In UTC, like every transaction of this emitter: `2026-09-21 00:00:00+00`.
  const firstDay =
    end === undefined ? Number.NEGATIVE_INFINITY : dayOf(Date.parse(`${end.slice(0, 10)}T00:00:00Z`));
  return { days: new Set(days), firstDay, count: rows.length };
}

/**
 * Creates missing partitions for the days, and moves their rows from the default partition, in the
 * transaction of `client` and under its advisory lock.
 */
export async function addDays(client: PoolClient, days: readonly number[]): Promise<readonly number[]> {
  const { days: existing, firstDay, count } = await readPartitions(client);
  const missing = days
    .filter((day) => day >= firstDay && !existing.has(day))
    .slice(0, Math.max(0, MAX_PARTITIONS - count));
  if (missing.length === 0) return [];
  // Locks before reading: rows that arrive in between would prevent attaching.
  await client.query(`lock table ${LOG_TABLE}_default in access exclusive mode`);
  for (const day of missing) await addDay(client, day);
  return missing;
}

async function addDay(client: PoolClient, day: number): Promise<void> {
  const name = nameOf(day);
  const [from, to] = [`'${textOf(day)}'`, `'${textOf(day + 1)}'`];
  // A generated column must also be generated in the partition. An identity column must not: rows are
  // inserted through the parent, which numbers them.
  await client.query(
    `create table ${name} (like ${LOG_TABLE} including defaults including constraints including generated
       including storage)`,
  );
  const columns = await storedColumns(client);
  await client.query(
    `with moved as (delete from ${LOG_TABLE}_default where time >= ${from} and time < ${to} returning ${columns})
     insert into ${name} (${columns}) select ${columns} from moved`,
  );
  await client.query(
    `alter table ${LOG_TABLE} attach partition ${name} for values from (${from}) to (${to})`,
  );
}

/**
 * All columns except generated ones, including those that the operator added. By name, since the order in a
 * partition can differ from the parent.
 */
async function storedColumns(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ columns: string }>(
    `select string_agg(quote_ident(attname), ', ' order by attnum) as columns from pg_attribute
     where attrelid = '${LOG_TABLE}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
  );
  return rows[0]?.columns ?? '';
}

/** The partitions of days that ended before `cutoff`, oldest first. */
export async function partitionsBefore(
  client: PoolClient,
  cutoffUnixMs: number,
): Promise<readonly ExpiredSpan[]> {
  const { days } = await readPartitions(client);
  return (
    [...days]
      .filter((day) => (day + 1) * DAY_MS <= cutoffUnixMs)
      .sort((a, b) => a - b)
      .map(nameOf)
      // The name consists of fixed text and digits.
      .map((name) => ({ name, table: name, drop: { text: `drop table if exists ${name}`, values: [] } }))
  );
}

export function dayOf(unixMs: number): number {
  return Math.floor(unixMs / DAY_MS);
}

function nameOf(day: number): string {
  return `${LOG_TABLE}_${textOf(day).slice(0, 10).replaceAll('-', '')}`;
}

function dayOfName(name: string): number | undefined {
  const digits = PARTITION.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const [year, month, day] = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6)];
  return dayOf(Date.UTC(Number(year), Number(month) - 1, Number(day)));
}

/** `2026-11-20 00:00:00+00` */
function textOf(day: number): string {
  return `${new Date(day * DAY_MS).toISOString().slice(0, 10)} 00:00:00+00`;
}
