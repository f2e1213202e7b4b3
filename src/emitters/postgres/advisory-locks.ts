/**
 * Advisory locks for work that only one aggregator may do at a time. They use a lock class of this program,
 * with one lock for each schema and kind of work, held until the end of the transaction.
 */
const ADVISORY_LOCKS = { migration: 1, partitions: 2, housekeeping: 3 } as const;

export type AdvisoryLock = keyof typeof ADVISORY_LOCKS;

/** `mega` as a number plus the kind of work, which avoids conflicts with locks of other programs. */
const CLASS = 0x6d_65_67_00;

export function lockStatement(lock: AdvisoryLock, schema: string): { text: string; values: unknown[] } {
  return { text: 'select pg_advisory_xact_lock($1, hashtext($2))', values: [classOf(lock), schema] };
}

/** Returns one row; `mine` is true if the lock was acquired. */
export function tryLockStatement(lock: AdvisoryLock, schema: string): { text: string; values: unknown[] } {
  return {
    text: 'select pg_try_advisory_xact_lock($1, hashtext($2)) as mine',
    values: [classOf(lock), schema],
  };
}

function classOf(lock: AdvisoryLock): number {
  return CLASS + ADVISORY_LOCKS[lock];
}
