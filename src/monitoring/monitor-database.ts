import { dialectOf } from '../logstore/sql/dialect-of.ts';
import { type Sql, sql, statement } from '../logstore/sql/sql.ts';
import { type SqlDatabase, SqlError, type SqlRow } from '../logstore/sql/sql-database.ts';
import type { SqlDialect } from '../logstore/sql/sql-dialect.ts';
import { SerialQueue } from '../runtime/async/serial-queue.ts';
import type { Clock } from '../runtime/clock.ts';

/**
 * The store as the monitor uses it. If several aggregators share a store, the one that holds the lease, a row
 * of `leases`, refreshes metrics and checks alerts.
 *
 *     acquire            renew the row if it is ours, or take it if it has expired; the holder repeats this before LEASE_MS
 *     writeAsHolder      1. update leases set expires_at = ... where holder = me     locks the row, and renews
 *                        2. the changes, each statement with `where isHeld`
 *     write              1. update leases set expires_at = expires_at                locks the row, holder or not
 *                        2. definitions that a client creates or deletes
 *
 * Every writer begins with the row of the lease, so writers are sequential in any isolation level: in
 * PostgreSQL the second one waits for the first (and, in stricter isolation, starts again: `busy`), DuckDB
 * refuses the second one (`busy`). This has three consequences:
 *
 * - A holder that was suspended past its lease finds another name in the row and writes nothing: `isHeld` is
 * false in the same transaction. Expiry decides only when another aggregator may try, never which one may
 * write; so the clocks of aggregators may differ.
 * - Replacing a bucket (delete, insert) needs no unique index: no two writers do it at the same time.
 * - Deleted definitions stay deleted: a refresh or check in progress either is deleted with them, or finds
 * them missing.
 *
 * The name in the row is that of the holder with the number of its term, from the second one on: an evaluator that has
 * lost the lease and takes it again is another holder. So statements of its earlier term have no effect, and it finds out
 * that there was another holder in between.
 *
 * ClickHouse has no transactions. There each statement has its own check of the lease, and the holder asks at the end
 * whether it has still had the lease: if not, some of its statements had no effect.
 *
 * Within this process, writes wait for each other in a queue of promises, so that DuckDB has no conflict to
 * refuse.
 */
export class MonitorDatabase {
  readonly dialect: SqlDialect;
  readonly #options: MonitorDatabaseOptions;
  readonly #runs = new SerialQueue();
  /** The row of the lease was there when it was last written. */
  #hasRow = false;
  #term = 0;

  constructor(options: MonitorDatabaseOptions) {
    this.#options = options;
    this.dialect = dialectOf(options.database.dialect);
  }

  /** How often this aggregator has taken the lease. In between, another one may have had it. */
  get term(): number {
    return this.#term;
  }

  /** A condition for statements. */
  get isHeld(): Sql {
    return sql`exists (select 1 from leases where ${this.#isOurs})`;
  }

  /** The same condition on the row itself: only this form is evaluated again after a wait for the row. */
  get #isOurs(): Sql {
    return sql`name = 'monitor' and holder = ${this.#holderOf(this.#term)}::text`;
  }

  #holderOf(term: number): string {
    const { holder } = this.#options;
    return term > 1 ? `${holder} ${term}` : holder;
  }

  /** Another aggregator may use the store at the same time. DuckDB permits one process for each database. */
  get isShared(): boolean {
    return this.#options.database.dialect !== 'duckdb';
  }

  get nowUnixMicro(): number {
    return Number(this.#options.clock.nowUnixNano() / 1000n);
  }

  /** The time of a change: later than the last one, also if the clock was set back. */
  laterThan(unixMicro: number): number {
    return Math.max(this.nowUnixMicro, unixMicro + 1);
  }

  time(unixMicro: number | null): Sql {
    return unixMicro === null ? sql`null::timestamptz` : this.dialect.timestamp(unixMicro);
  }

  read(statements: readonly Sql[], timeoutMs = TIMEOUT_MS): Promise<Rows> {
    return this.#options.database.run(statements.map(statement), { timeoutMs, isReadOnly: true });
  }

  /**
   * Calls a procedure that commits its own work. It needs no lease: its effect must be the same for every caller, at any
   * time.
   */
  async call(procedure: Sql, timeoutMs: number): Promise<void> {
    await this.#options.database.run([statement(procedure)], { timeoutMs, isOutsideTransaction: true });
  }

  /**
   * Inserts the row of the lease, without a holder, if it is missing. A transaction of its own: a COMMIT that fails on a
   * full disk terminates DuckDB's process if the transaction has inserted a row and changed it.
   */
  async #insertRow(): Promise<void> {
    if (this.#hasRow) return;
    const row = sql`insert into leases (name, holder, expires_at) values ('monitor', '', ${this.time(0)})
      on conflict (name) do nothing`;
    await this.#run([row], TIMEOUT_MS);
    this.#hasRow = true;
  }

  /** For clients that create or delete definitions. */
  async write(statements: readonly Sql[]): Promise<Rows> {
    const lock = sql`update leases set expires_at = expires_at where name = 'monitor'`;
    await this.#insertRow();
    const [, ...rows] = await this.#run([lock, ...statements], TIMEOUT_MS);
    return rows;
  }

  /**
   * undefined: another aggregator holds the lease, and nothing was written. Without transactions, the first of the
   * statements may have been.
   */
  async writeAsHolder(statements: readonly Sql[], timeoutMs = TIMEOUT_MS): Promise<Rows | undefined> {
    const expiresAt = this.time(this.nowUnixMicro + (timeoutMs + LEASE_MS) * 1000);
    const renew = sql`update leases set expires_at = ${expiresAt} where ${this.#isOurs} returning holder`;
    const hasTransactions = this.dialect.hasTransactions !== false;
    const isStillHeld = hasTransactions ? [] : [sql`select 1 as one where ${this.isHeld}`];
    const [renewed, ...rows] = await this.#run([renew, ...statements, ...isStillHeld], timeoutMs);
    if (renewed?.length !== 1) return undefined;
    if (hasTransactions) return rows;
    return rows.at(-1)?.length === 1 ? rows.slice(0, -1) : undefined;
  }

  /** Resolves with whether this aggregator holds the lease from now on. A new `term`: it has not held it until now. */
  async acquire(): Promise<boolean> {
    const now = this.nowUnixMicro;
    const expiresAt = this.time(now + LEASE_MS * 1000);
    const next = this.#term + 1;
    const renew = sql`update leases set expires_at = ${expiresAt} where ${this.#isOurs} returning holder`;
    // Not `on conflict do update`: with that, a COMMIT that fails on a full disk terminates DuckDB's process.
    const take = sql`update leases set holder = ${this.#holderOf(next)}::text, expires_at = ${expiresAt}
      where name = 'monitor' and (holder = ${this.#holderOf(next)}::text or expires_at <= ${this.time(now)})
      returning holder`;
    await this.#insertRow();
    const [renewed, taken] = await this.#run([renew, take], TIMEOUT_MS);
    const isRenewed = renewed?.length === 1;
    const isTaken = !isRenewed && taken?.length === 1;
    if (isTaken) this.#term = next;
    this.#hasRow = isRenewed || isTaken;
    return this.#hasRow;
  }

  /** Releases the lease, so that another aggregator need not wait until it expires. */
  async release(): Promise<void> {
    await this.#run([sql`update leases set expires_at = ${this.time(0)} where ${this.#isOurs}`], TIMEOUT_MS);
  }

  #run(statements: readonly Sql[], timeoutMs: number): Promise<Rows> {
    return this.#runs.run(() => this.#attempt(statements, timeoutMs));
  }

  async #attempt(statements: readonly Sql[], timeoutMs: number): Promise<Rows> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#options.database.run(statements.map(statement), { timeoutMs });
      } catch (error) {
        if (!(error instanceof SqlError) || error.kind !== 'busy' || attempt === ATTEMPTS) throw error;
      }
    }
  }
}

export type Rows = readonly (readonly SqlRow[])[];

export interface MonitorDatabaseOptions {
  readonly database: SqlDatabase;
  readonly clock: Clock;
  /** Identifies this process; never used by another one, before or after it. */
  readonly holder: string;
}

const TIMEOUT_MS = 10_000;
/** Time without a renewal after which another evaluator takes over. */
export const LEASE_MS = 15_000;
/** Each retry waits for the transaction that won. */
const ATTEMPTS = 10;
