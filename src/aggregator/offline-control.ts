import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import type { ControlHandlers } from '../runtime/control/control.ts';
import { openQueue } from '../storage/queue/queue.ts';
import { LAYOUT_VERSION, migrateLayout } from '../storage/state/layout.ts';
import { ownStateDirectory } from '../storage/state/own-state-directory.ts';
import { aggregatorControl } from './control.ts';

export const AGGREGATOR_LAYOUT = {
  role: 'aggregator',
  layoutVersion: LAYOUT_VERSION,
  migrate: migrateLayout,
} as const;
export const DEAD_LETTER_MAX_BYTES = 1024 * 1024 * 1024;

/** For a command while no aggregator is running: it owns the state directory until `close`. */
export async function openOfflineAggregatorControl(
  stateDirectory: string,
  deps: { readonly logger: Logger; readonly clock: Clock },
): Promise<{ readonly handlers: ControlHandlers; close(): Promise<void> }> {
  const { Registry } = await import('prom-client');
  const directory = await ownStateDirectory(stateDirectory, AGGREGATOR_LAYOUT, deps.clock);
  try {
    const queue = await openQueue({
      ...deps,
      directory: stateDirectory,
      metrics: new Registry(),
      maxBytes: Number.MAX_SAFE_INTEGER,
      whenFull: 'stop',
      deadLetterMaxBytes: DEAD_LETTER_MAX_BYTES,
    });
    const close = async () => {
      await queue.close();
      await directory.release();
    };
    return { handlers: aggregatorControl(queue), close };
  } catch (error) {
    await directory.release();
    throw error;
  }
}

export const AGGREGATOR_COMMANDS: readonly string[] = [
  'status',
  'dead-letters.list',
  'dead-letters.show',
  'dead-letters.replay',
  'dead-letters.discard',
  'emitters.list',
  'emitters.forget',
  'emitters.skip',
];
