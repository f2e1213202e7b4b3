import type { Clock } from '../../runtime/clock.ts';
import { StateDirectory, type StateDirectoryOptions } from './state-directory.ts';
import { StateDirectoryBusyError } from './state-directory-error.ts';

/**
 * Locks a state directory, and waits a little for its owner: a command such as `status` owns it for a moment
 * while no process is running, and a process that is restarting may still be closing its files.
 */
export async function ownStateDirectory(
  path: string,
  options: StateDirectoryOptions,
  clock: Clock,
): Promise<StateDirectory> {
  for (let waitedMs = 0; ; waitedMs += LOOK_AGAIN_MS) {
    try {
      return await StateDirectory.acquire(path, options);
    } catch (error) {
      if (!(error instanceof StateDirectoryBusyError) || waitedMs >= WAIT_MS) throw error;
    }
    await clock.sleep(LOOK_AGAIN_MS);
  }
}

const WAIT_MS = 5_000;
const LOOK_AGAIN_MS = 100;
