/** Runs the work as a user whose access the system checks: a superuser becomes `nobody` in the meantime. */
export async function asUnprivileged<Result>(work: () => Promise<Result>): Promise<Result> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

const NOBODY = 65_534;
