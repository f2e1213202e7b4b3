import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import type { HttpHandler } from '../runtime/http/http-contract.ts';
import { loggedOperations } from '../runtime/operations/operation-events.ts';
import { operationRoutes } from '../runtime/operations/operation-routes.ts';
import { ownerHandler } from '../runtime/operations/owner-handler.ts';
import { openQueue, type Queue } from '../storage/queue/queue.ts';
import { LAYOUT_VERSION, migrateLayout } from '../storage/state/layout.ts';
import { ownStateDirectory } from '../storage/state/own-state-directory.ts';
import { DEAD_LETTER_OPERATIONS } from './api/operations/dead-letter-operations.ts';
import { QUEUE_OPERATIONS } from './api/operations/queue-operations.ts';

export const AGGREGATOR_LAYOUT = {
  role: 'aggregator',
  layoutVersion: LAYOUT_VERSION,
  migrate: migrateLayout,
} as const;
export const DEAD_LETTER_MAX_BYTES = 1024 * 1024 * 1024;

interface Dependencies {
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * The operations on the queue for a command while no aggregator is running. The command owns the state
 * directory until `close`.
 */
export async function openOfflineAggregatorControl(
  stateDirectory: string,
  deps: Dependencies,
): Promise<{ readonly handle: HttpHandler; close(): Promise<void> }> {
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
    return { handle: queueHandler(queue, deps), close };
  } catch (error) {
    await directory.release();
    throw error;
  }
}

function queueHandler(queue: Queue, { logger, clock }: Dependencies): HttpHandler {
  return ownerHandler(
    operationRoutes({
      operations: [...QUEUE_OPERATIONS, ...DEAD_LETTER_OPERATIONS],
      context: {
        queue: () => queue,
        configuredEmitters: new Set<string>(),
        deadLettersDiscarded: () => {},
        entrySkipped: () => {},
      },
      proven: 'owner',
      clock,
      events: loggedOperations(logger),
    }),
  );
}
