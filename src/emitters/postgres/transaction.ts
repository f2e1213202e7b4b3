import { DatabaseError, type Pool, type PoolClient } from 'pg';
import type { Clock } from '../../runtime/clock.ts';

/**
 * All that we do in the database is done in transactions made here. What a session would have to be told is told to each
 * transaction instead (`set local`), so that a pooler in between may give every transaction another session.
 */
export interface TransactionOptions {
  /** `begin ...` and settings, as one text; see `beginText`. */
  readonly begin: string;
  /** After so long without an end the connection is cut, whatever it is waiting for. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Cuts the connection; its reason is what the transaction rejects with. */
  readonly signal?: AbortSignal;
}

export interface Begin {
  readonly isolation: 'read committed' | 'repeatable read';
  readonly isReadOnly?: boolean;
  readonly schema: string;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
}

/** An answer to `begin` is a matter of the network alone; a connection that died unseen is found out by it. */
const BEGIN_TIMEOUT_MS = 10_000;

/** Who died while holding a lock must be found out soon: others wait for it. */
const KEEPALIVE = [
  'set local tcp_keepalives_idle = 10',
  'set local tcp_keepalives_interval = 5',
  'set local tcp_keepalives_count = 3',
];

/**
 * Settings that a database or a role may change, and on which our statements depend. Compiling a plan (`jit`) costs more
 * than it saves: a search reads many partitions, and each of them counts as a part to compile.
 */
const MEANING = [
  'set local standard_conforming_strings = on',
  'set local extra_float_digits = 1',
  'set local jit = off',
];

/** The schema is from the configuration, which has a pattern for it. */
export function beginText({
  isolation,
  isReadOnly,
  schema,
  statementTimeoutMs,
  lockTimeoutMs,
}: Begin): string {
  return [
    `begin isolation level ${isolation}${isReadOnly ? ' read only' : ''}`,
    `set local search_path = "${schema}"`,
    `set local timezone = 'UTC'`,
    `set local datestyle = 'ISO, YMD'`,
    `set local statement_timeout = ${Math.ceil(statementTimeoutMs)}`,
    `set local lock_timeout = ${Math.ceil(lockTimeoutMs)}`,
    `set local idle_in_transaction_session_timeout = ${Math.ceil(statementTimeoutMs)}`,
    ...MEANING,
    ...KEEPALIVE,
  ].join('; ');
}

/**
 * Runs `work` in a transaction of its own. Rejects with the driver's error, or with what cut it off. Nothing of the
 * transaction is left then, unless the connection broke at its COMMIT: that may have been done.
 */
export async function inTransaction<T>(
  pool: Pool,
  options: TransactionOptions,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const { clock, signal, timeoutMs } = options;
  const client = await connected(pool, signal);
  let cut: { readonly reason: unknown } | undefined;
  const cutOff = (reason: unknown) => {
    cut ??= { reason };
    // With a query under way this breaks the connection, and the query rejects.
    client.end().catch(ignore);
  };
  const patience = (ms: number) =>
    clock.after(ms, () => cutOff(new Error(`the database did not answer for ${Math.round(ms)} ms`)));
  let cancelTimer = patience(Math.min(BEGIN_TIMEOUT_MS, timeoutMs));
  const onAbort = () => cutOff(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  let isClean = false;
  try {
    await client.query(options.begin);
    cancelTimer();
    cancelTimer = patience(timeoutMs);
    const result = await work(client);
    const { command } = await client.query('commit');
    if (command !== 'COMMIT') throw new Error('the server rolled the transaction back');
    isClean = true;
    return result;
  } catch (error) {
    if (cut !== undefined) throw cut.reason;
    isClean = (await rolledBack(client)) && !isReadOnlyServer(error);
    throw error;
  } finally {
    cancelTimer();
    signal?.removeEventListener('abort', onAbort);
    client.release(!isClean);
  }
}

/** Errors of `inTransaction` that arose before there was a connection. */
const CONNECT_ERRORS = new WeakSet<Error>();

/** There is no connection to the server: it is not reached, or it refuses us. */
export function isConnectError(error: unknown): error is Error {
  return error instanceof Error && CONNECT_ERRORS.has(error);
}

function rememberAsConnectError(error: unknown): never {
  if (error instanceof Error) CONNECT_ERRORS.add(error);
  throw error;
}

async function connected(pool: Pool, signal: AbortSignal | undefined): Promise<PoolClient> {
  signal?.throwIfAborted();
  const connecting = pool.connect().catch(rememberAsConnectError);
  if (signal === undefined) return await connecting;
  let onAbort = ignore;
  try {
    return await new Promise<PoolClient>((resolve, reject) => {
      onAbort = () => {
        reject(signal.reason as Error);
        connecting.then((client) => client.release(), ignore);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      connecting.then(resolve, reject);
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** False: the connection is of no further use. */
async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('rollback');
    return true;
  } catch {
    return false;
  }
}

/** A standby, perhaps: another connection under the same name may reach the server that is written to by now. */
function isReadOnlyServer(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '25006';
}

function ignore(): void {}
