import type { Pool, PoolClient } from 'pg';
import { LOG_TABLE } from '../../logstore/log-columns.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { AdvisoryLock } from './advisory-locks.ts';
import { describeFailure } from './describe-failure.ts';
import type { PostgresEvents } from './events.ts';
import { outsideTransaction } from './in-transaction.ts';

/**
 * Creates the indexes of days that are over:
 *
 * - `text`: trigrams (extension `pg_trgm`) of the bodies, for searches of a text;
 * - `stream`: stream and position, for the neighbours of a record in its stream.
 *
 * An index of trigrams costs more than all other work on a row, so no index is updated row by row during the day. They
 * are built when the day is over and no rows have arrived for it for ten minutes: one at a time, the newest day
 * first, in the background. `concurrently`: rows that arrive during a build do not wait. Existing days get
 * their indexes in the same way.
 *
 *     day over, quiet, at least 16 MiB, without such an index -> create index concurrently log_records_20261120_text
 *
 * A build that was interrupted leaves an invalid index, which a later turn drops. Two aggregators may try the
 * same day: one of them fails, because the name exists.
 */
export class DayIndexes {
  readonly #options: DayIndexesOptions;
  #building: Promise<void> | undefined;
  #isReported = false;

  constructor(options: DayIndexesOptions) {
    this.#options = options;
  }

  /** Starts the build of the next index, if none is running. */
  async turn(nowUnixMs: number): Promise<void> {
    if (this.#building !== undefined) return;
    const today = new Date(nowUnixMs).toISOString().slice(0, 10);
    const next = await this.#options.inTurn('housekeeping', (client) => this.#next(client, today));
    if (next === undefined) return;
    this.#building = this.#build(next).finally(() => {
      this.#building = undefined;
    });
  }

  /** Resolves when no build is running any more. */
  async stop(): Promise<void> {
    await this.#building;
  }

  async #next(client: PoolClient, today: string): Promise<Build | undefined> {
    for (const kind of this.#options.kinds) {
      const using = kind === 'text' ? await this.#trigrams(client) : 'using btree (stream, position)';
      const build = using === undefined ? undefined : await this.#nextOf(client, { kind, using, today });
      if (build !== undefined) return build;
    }
    return undefined;
  }

  async #trigrams(client: PoolClient): Promise<string | undefined> {
    const trigrams = await findTrigrams(client);
    if (trigrams.schema !== undefined) return `using gin (body ${quoted(trigrams.schema)}.gin_trgm_ops)`;
    if (!this.#isReported) this.#options.events.textIndexesUnavailable(trigrams);
    this.#isReported = true;
    return undefined;
  }

  async #nextOf(client: PoolClient, { kind, using, today }: Wanted): Promise<Build | undefined> {
    const { schema } = this.#options;
    const { rows: broken } = await client.query<{ name: string }>(brokenIndexes(kind));
    if (broken[0] !== undefined) {
      return {
        table: broken[0].name,
        text: `drop index concurrently if exists "${schema}".${broken[0].name}`,
      };
    }
    const { rows } = await client.query<{ name: string }>(nextDay(kind), [today, MIN_BYTES]);
    const table = rows[0]?.name;
    if (table === undefined) return undefined;
    return { table, text: `create index concurrently ${table}_${kind} on "${schema}".${table} ${using}` };
  }

  async #build({ table, text }: Build): Promise<void> {
    const { pool, signal, events } = this.#options;
    const beganMs = performance.now();
    try {
      await outsideTransaction(pool(), signal, (client) => client.query(text));
      events.dayIndexChanged({ table, seconds: Math.round((performance.now() - beganMs) / 1000) });
    } catch (error) {
      if (!signal.aborted)
        events.maintenanceFailed({ work: 'index of a day', reason: describeFailure(error) });
    }
  }
}

export interface DayIndexesOptions {
  readonly kinds: readonly DayIndexKind[];
  readonly pool: () => Pool;
  readonly schema: string;
  readonly events: PostgresEvents;
  /** Ends the wait for a build; the server completes it. */
  readonly signal: AbortSignal;
  /** Runs work in a transaction; undefined: another aggregator does such work at this moment. */
  readonly inTurn: <T>(
    lock: AdvisoryLock,
    work: (client: PoolClient) => Promise<T>,
  ) => Promise<T | undefined>;
}

export type DayIndexKind = 'text' | 'stream';

interface Wanted {
  readonly kind: DayIndexKind;
  /** The method and the columns. */
  readonly using: string;
  /** YYYY-MM-DD */
  readonly today: string;
}

interface Build {
  readonly table: string;
  readonly text: string;
}

/** The schema of the extension, or the reason why it cannot be used. */
export type TrigramFinding =
  | { readonly schema: string }
  | { readonly schema: undefined; readonly reason: string; readonly remedy: string };

/** A smaller day is read completely in some 20 ms. */
const MIN_BYTES = 16 * 1024 * 1024;
const CREATE = 'create extension pg_trgm';

/**
 * Finds the extension in this database, and creates it if the role has the permission: the extension is
 * trusted, so a role with the privilege CREATE on the database may create it.
 */
async function findTrigrams(client: PoolClient): Promise<TrigramFinding> {
  const installed = await schemaOf(client);
  if (installed !== undefined) return installed;
  const { rowCount } = await client.query(`select from pg_available_extensions where name = 'pg_trgm'`);
  if (rowCount === 0) {
    const remedy = 'install the package of the additional modules ("contrib") of PostgreSQL on the server';
    return { schema: undefined, reason: 'the server does not have the extension pg_trgm', remedy };
  }
  await client.query('savepoint pg_trgm');
  try {
    await client.query(`${CREATE} with schema public`);
  } catch (error) {
    await client.query('rollback to savepoint pg_trgm');
    const reason = `this role cannot create the extension pg_trgm: ${errorMessage(error)}`;
    return { schema: undefined, reason, remedy: `run "${CREATE}" in this database as its owner` };
  }
  return (await schemaOf(client)) ?? { schema: undefined, reason: 'pg_trgm is missing', remedy: CREATE };
}

async function schemaOf(client: PoolClient): Promise<{ readonly schema: string } | undefined> {
  const { rows } = await client.query<{ schema: string }>(
    `select nspname as schema from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
     where extname = 'pg_trgm'`,
  );
  return rows[0];
}

/** Our partitions of days. Their names consist of fixed text and digits. */
const DAYS = `pg_inherits join pg_class as day on day.oid = inhrelid and inhparent = '${LOG_TABLE}'::regclass
  and day.relname ~ '^${LOG_TABLE}_[0-9]{8}$'`;

/** Whether a day has such an index, of this program or of the operator. */
const IS_INDEXED: Readonly<Record<DayIndexKind, string>> = {
  text: `exists (select from pg_index
      join pg_attribute on attrelid = indrelid and attnum = any (indkey) and attname = 'body'
      join pg_opclass on pg_opclass.oid = any (indclass) and opcname in ('gin_trgm_ops', 'gist_trgm_ops')
    where indrelid = day.oid)`,
  stream: `exists (select from pg_index
      join pg_attribute as first on first.attrelid = indrelid and first.attnum = indkey[0] and first.attname = 'stream'
      join pg_attribute as next on next.attrelid = indrelid and next.attnum = indkey[1] and next.attname = 'position'
    where indrelid = day.oid)`,
};

const nextDay = (kind: DayIndexKind) => `select day.relname as name
  from ${DAYS}, lateral (select to_date(right(day.relname, 8), 'YYYYMMDD') as date) as this
  where date < $1::date and pg_relation_size(day.oid) >= $2::bigint and not ${IS_INDEXED[kind]}
    and not exists (select from touched_minutes
      where minute >= date and minute < date + 1 and stored_at > now() - interval '10 minutes')
  order by date desc limit 1`;

const brokenIndexes = (kind: DayIndexKind) => `select each.relname as name
  from ${DAYS} join pg_index on indrelid = day.oid and not indisvalid
    join pg_class as each on each.oid = indexrelid and each.relname = day.relname || '_${kind}'
  where not exists (select from pg_stat_progress_create_index where relid = day.oid) limit 1`;

/** Quotes a name from the server's catalogue. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
