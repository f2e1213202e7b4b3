/**
 * Where several aggregators must not do the same at once, they take turns by an advisory lock of the database: of our own
 * class, one for each schema and kind of work, held to the end of the transaction.
 */
const ADVISORY_LOCKS = { migration: 1, partitions: 2, housekeeping: 3 } as const;

export type AdvisoryLock = keyof typeof ADVISORY_LOCKS;

/** So that nobody else's advisory locks are meant: `mega` as a number, and the kind of work. */
const CLASS = 0x6d_65_67_00;

export function lockStatement(lock: AdvisoryLock, schema: string): { text: string; values: unknown[] } {
  return { text: 'select pg_advisory_xact_lock($1, hashtext($2))', values: [classOf(lock), schema] };
}

/** Its row says whether it is ours (`mine`). */
export function tryLockStatement(lock: AdvisoryLock, schema: string): { text: string; values: unknown[] } {
  return {
    text: 'select pg_try_advisory_xact_lock($1, hashtext($2)) as mine',
    values: [classOf(lock), schema],
  };
}

function classOf(lock: AdvisoryLock): number {
  return CLASS + ADVISORY_LOCKS[lock];
}
