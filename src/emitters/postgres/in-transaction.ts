import { DatabaseError, type Pool, type PoolClient } from 'pg';
import type { Clock } from '../../runtime/clock.ts';

/**
 * Runs `work` in its own transaction. Rejects with the driver's error, or with the reason for closing the
 * connection. The transaction is then rolled back, unless the connection broke during COMMIT: it may then be
 * committed.
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
    // A running query rejects, since this breaks its connection.
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

/**
 * Runs `work` on a connection without a transaction: for the few statements that cannot run in one. It has no
 * time limit. If the signal aborts, it rejects, and the server completes the statement.
 */
export async function outsideTransaction<T>(
  pool: Pool,
  signal: AbortSignal,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await connected(pool, signal);
  const onAbort = () => void client.end().catch(ignore);
  signal.addEventListener('abort', onAbort, { once: true });
  let isClean = false;
  try {
    const result = await work(client);
    isClean = true;
    return result;
  } finally {
    signal.removeEventListener('abort', onAbort);
    client.release(!isClean);
  }
}

/**
 * All other database access uses the transactions of this module. Settings are made per transaction (`set local`)
 * instead of per session, so that a pooler can assign a different session to every transaction.
 */
export interface TransactionOptions {
  /** `begin ...` and settings, as one text; see `beginText`. */
  readonly begin: string;
  /** The connection is closed if the transaction takes longer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Closes the connection; the transaction rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
}

export interface Begin {
  readonly isolation: 'read committed' | 'repeatable read';
  readonly isReadOnly?: boolean;
  readonly schema: string;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
}

/** The response to `begin` depends only on the network; this timeout detects dead connections. */
const BEGIN_TIMEOUT_MS = 10_000;

/** The server must detect a dead client with a lock soon, since other clients wait for the lock. */
const KEEPALIVE = [
  'set local tcp_keepalives_idle = 10',
  'set local tcp_keepalives_interval = 5',
  'set local tcp_keepalives_count = 3',
];

/**
 * Settings that a database or role can change and that the statements depend on. `jit` costs more than it
 * saves: a search reads many partitions, each of which would be compiled.
 */
const MEANING = [
  'set local standard_conforming_strings = on',
  'set local extra_float_digits = 1',
  'set local jit = off',
];

/** The schema comes from the configuration, which validates it. */
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

/** Errors of `inTransaction` from before a connection was established. */
const CONNECT_ERRORS = new WeakSet<Error>();

/** Cannot connect: the server is unreachable or denies access. */
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

/** Returns false if the connection cannot be reused. */
async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('rollback');
    return true;
  } catch {
    return false;
  }
}

/** The server may be a standby: a new connection to the same name may reach the current primary. */
function isReadOnlyServer(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '25006';
}

function ignore(): void {}
