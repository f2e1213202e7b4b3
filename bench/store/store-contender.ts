import type { OwnPostgres } from '../../testkit/own-postgres.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';

/** A program that writes the lines of a log into a database, one row each. */
export interface StoreContender {
  /** Its name in the table. */
  readonly name: string;
  /** For BENCH_ONLY. */
  readonly key: string;
  /** Too slow to run in every round: it runs in the first one. */
  readonly runsOnce?: true;
  /** Prepares it to run here; returns its version. Throws with the reason if that is not possible. */
  prepare(): Promise<string>;
  /** Starts everything and waits until it is ready for a log. */
  start(course: StoreCourse): Promise<RunningIngest>;
}

/** The fresh directory and database of a run. */
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
  /** A database server of this run alone; undefined: PostgreSQL, or none. */
  readonly database?: OwnDatabase;
  /** Number of committed rows so far. Called often. */
  storedRows(): Promise<number>;
  /** Ends everything, and reads the result from the database. */
  finish(): Promise<Stored>;
}

export interface OwnDatabase {
  /** CPU time so far. */
  cpuSeconds(): number;
  kill(): Promise<void>;
}

export interface Stored {
  readonly rows: number;
  /** Bytes on disk, including indexes. */
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
