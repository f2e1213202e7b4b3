import type { RunningProcess } from '../../test/support/running-process.ts';
import type { OwnPostgres } from '../own-postgres.ts';

/** Something that brings the lines of a log into a database, a row each. */
export interface StoreContender {
  /** Its name in the table. */
  readonly name: string;
  /** For BENCH_ONLY. */
  readonly key: string;
  /** It would take too long to run it in every round: it runs in the first. */
  readonly runsOnce?: true;
  /** Makes it runnable here; returns its version. Throws with the reason when that is not possible. */
  prepare(): Promise<string>;
  /** Starts all of it, ready and waiting for a log to appear. */
  start(course: StoreCourse): Promise<RunningIngest>;
}

/** Where a contender runs, in a fresh directory and a fresh database. */
export interface StoreCourse {
  readonly directory: string;
  /** Watched; one log, `.log` at its end, appears here when the clock starts. */
  readonly logDirectory: string;
  /** undefined: there is none here. */
  readonly postgres: FreshDatabase | undefined;
  /** How many will come. */
  readonly rows: number;
}

export interface FreshDatabase {
  readonly server: OwnPostgres;
  readonly database: string;
}

export interface RunningIngest {
  readonly sender: RunningProcess;
  /** undefined: the sender writes to the database. */
  readonly receiver: RunningProcess | undefined;
  /** Committed so far. Asked for often. */
  storedRows(): Promise<number>;
  /** Ends all of it, and looks into the database. */
  finish(): Promise<Stored>;
}

export interface Stored {
  readonly rows: number;
  /** On disk, indexes and all. */
  readonly bytes: number;
}

export const NO_POSTGRES = 'PostgreSQL is not installed (apt-get install postgresql)';

/** The size of an empty database. */
const EMPTY_DATABASE = 'template1';

export function databaseOf({ postgres }: StoreCourse): FreshDatabase {
  if (postgres === undefined) throw new Error(NO_POSTGRES);
  return postgres;
}

export async function storedInPostgres(course: StoreCourse, table: string): Promise<Stored> {
  const { server, database } = databaseOf(course);
  return await server.query(async (client) => {
    const { rows } = await client.query<{ rows: string; bytes: string }>(
      `select (select count(*) from ${table}) as rows,
         pg_database_size('${database}') - pg_database_size('${EMPTY_DATABASE}') as bytes`,
    );
    const [found] = rows;
    return { rows: Number(found?.rows), bytes: Number(found?.bytes) };
  }, database);
}
