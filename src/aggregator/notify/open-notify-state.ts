import { rename, rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import { openStateStore } from '../../storage/state/state-store.ts';
import type { NotifyState } from './notify-state.ts';
import { storedNotifyState } from './stored-notify-state.ts';

export interface OpenNotifyState {
  readonly state: NotifyState;
  close(): Promise<void>;
}

/**
 * Opens the state of incidents. It never prevents the aggregator from accepting data: damaged state is moved
 * aside, and without a writable directory the state is in memory. Incidents that were open then stay open
 * until an operator closes them.
 */
export async function openNotifyState(directory: string, logger: Logger): Promise<OpenNotifyState> {
  try {
    return await openStored(directory);
  } catch (error) {
    const aside = `${directory}.damaged`;
    const reason = (error as Error).message;
    logger.error({ directory, aside, reason }, 'Cannot read the state of incidents; setting it aside');
    return setAside(directory, aside)
      .then(() => openStored(directory))
      .catch(() => inMemory(directory, logger));
  }
}

async function openStored(directory: string): Promise<OpenNotifyState> {
  const store = await openStateStore(directory);
  return { state: storedNotifyState(store), close: () => store.close() };
}

/** Keeps only one copy, so that damaged state does not fill the disk. */
async function setAside(directory: string, aside: string): Promise<void> {
  await rm(aside, { recursive: true, force: true });
  await rename(directory, aside);
}

function inMemory(directory: string, logger: Logger): OpenNotifyState {
  logger.error({ directory }, 'Cannot write the state of incidents; a restart forgets which are open');
  return { state: { load: () => undefined, save: async () => {} }, close: async () => {} };
}
