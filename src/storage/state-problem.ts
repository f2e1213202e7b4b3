import { QueueError } from './queue/queue-contract.ts';
import { StateDirectoryUnusableError } from './state/state-directory-error.ts';
import { StateStoreError } from './state/state-store-error.ts';

/**
 * Why the state in this directory cannot be used, and what to do; undefined for other errors. A process with
 * such a problem stays up and reports it: a restart loop would not help.
 */
export function stateProblem(directory: string, error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof StateDirectoryUnusableError) return error.message;
  const isDiskError = codesOf(error).some((code) => DISK_ERRORS.includes(code));
  if (!isDiskError && !(error instanceof QueueError || error instanceof StateStoreError)) return undefined;
  const advice = isDiskError
    ? 'Repair the disk or the permissions, then restart.'
    : `Restore the file as it was at the end, or move the state away, then restart: mv '${directory}' '${directory}.damaged'`;
  return `the state in ${directory} cannot be used: ${error.message}. ${advice}`;
}

const DISK_ERRORS = ['EACCES', 'EDQUOT', 'EIO', 'ENOSPC', 'EPERM', 'EROFS'];

/** The error and its causes. */
function codesOf(error: Error): string[] {
  const { code } = error as NodeJS.ErrnoException;
  const causes = error.cause instanceof Error ? codesOf(error.cause) : [];
  return code === undefined ? causes : [code, ...causes];
}
