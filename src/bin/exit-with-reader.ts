import { closeSync, constants, fstatSync, openSync } from 'node:fs';

const LOOK_EVERY_MS = 500;
const STDOUT = 1;

/**
 * Calls `exit` soon after the reader of a pipe on standard output is gone (`monitor logs -f | head -5`). Only Linux can
 * show that without a write; elsewhere the next write ends the command.
 */
export function exitWithReader(exit: () => void): void {
  if (process.platform !== 'linux' || !isPipe()) return;
  setInterval(() => {
    if (isReaderGone()) exit();
  }, LOOK_EVERY_MS).unref();
}

function isPipe(): boolean {
  try {
    return fstatSync(STDOUT).isFIFO();
  } catch {
    return false;
  }
}

/** To open a pipe for writing, without waiting, fails with ENXIO when no process has it open for reading. */
function isReaderGone(): boolean {
  try {
    closeSync(openSync(`/proc/self/fd/${STDOUT}`, constants.O_WRONLY | constants.O_NONBLOCK));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENXIO';
  }
}
