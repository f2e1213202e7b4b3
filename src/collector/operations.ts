import type { Logger } from 'pino';
import { z } from 'zod';
import type { Clock } from '../runtime/clock.ts';
import type { HttpHandler } from '../runtime/http/http-contract.ts';
import { HttpError } from '../runtime/http/http-error.ts';
import { type Operation, operation } from '../runtime/operations/operation.ts';
import { loggedOperations } from '../runtime/operations/operation-events.ts';
import { operationRoutes } from '../runtime/operations/operation-routes.ts';
import { ownerHandler } from '../runtime/operations/owner-handler.ts';
import {
  type CollectorStatus,
  collectorStatusReport,
  fileExplanation,
  type ListenerReport,
  type StreamBalanceReport,
} from './collector-reports.ts';
import { explainSubject } from './explain-subject.ts';
import type { Source, SourceStatus } from './source.ts';
import type { StreamStatus } from './stream-status.ts';

/** The parts of a source that the operations need. */
type ReportingSource = Pick<Source, 'status' | 'explain'>;

/** The open state of a collector, as its operations need it. */
export interface CollectorState {
  readonly sources: readonly ReportingSource[];
  /** Forgets a file, and returns the number of its streams. */
  readonly forget: (path: string) => Promise<number>;
}

export interface CollectorContext {
  /** Throws HttpError when the state is not open. */
  readonly state: () => CollectorState;
}

export const getCollectorStatus = operation({
  id: 'getStatus',
  method: 'GET',
  path: '/v1/status',
  tag: 'sources',
  summary: 'Get the balance of the sources: read = accepted + waiting.',
  access: 'owner',
  query: z.strictObject({
    verbose: z.boolean().optional().meta({ description: 'Include every stream.' }),
  }),
  status: 200,
  answer: collectorStatusReport,
  run: async ({ state }: CollectorContext, { query }) => statusOf(state().sources, query.verbose ?? false),
});

export const explainFile = operation({
  id: 'explainFile',
  method: 'GET',
  path: '/v1/explain',
  tag: 'sources',
  summary:
    'Explain how a file is read, or why it is not; the listeners of syslog, or why a sender is rejected.',
  access: 'owner',
  query: z.strictObject({
    path: z
      .string()
      .min(1)
      .meta({ description: 'An absolute path, `syslog`, the address of a listener, or that of a sender.' }),
  }),
  status: 200,
  answer: fileExplanation,
  run: async ({ state }: CollectorContext, { query }) => explainSubject(state().sources, query.path),
});

export const forgetFile = operation({
  id: 'forgetFile',
  method: 'POST',
  path: '/v1/forget',
  tag: 'sources',
  summary:
    'Forget how far a file was read. A new stream reads it from its beginning: at once, or at the next start.',
  access: 'owner',
  body: z.strictObject({ path: z.string().min(1).meta({ description: 'An absolute path.' }) }),
  status: 200,
  answer: z.looseObject({ streams: z.number().meta({ description: 'The number of forgotten streams.' }) }),
  run: async ({ state }: CollectorContext, { body }) => ({ streams: await state().forget(body.path) }),
});

/**
 * Everything that a collector answers. All of it is for the owner: it reveals paths of files, and a collector
 * has no token.
 */
export const COLLECTOR_OPERATIONS: readonly Operation<CollectorContext>[] = [
  getCollectorStatus,
  explainFile,
  forgetFile,
];

export interface CollectorHandlerOptions {
  /** The reason as a sentence when the state is not open. */
  readonly state: () => CollectorState | string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Handles the requests of the owner: over the Unix socket, or in the process of the command. */
export function collectorHandler({ state, clock, logger }: CollectorHandlerOptions): HttpHandler {
  const context: CollectorContext = {
    state: () => {
      const found = state();
      if (typeof found === 'string') throw new HttpError(503, 'unavailable', found);
      return found;
    },
  };
  const events = loggedOperations(logger);
  return ownerHandler(
    operationRoutes({ operations: COLLECTOR_OPERATIONS, context, proven: 'owner', clock, events }),
  );
}

function statusOf(sources: readonly ReportingSource[], verbose: boolean): CollectorStatus {
  const statuses = sources.map((source) => source.status());
  const lost = statuses.reduce((total, { lostBytes = 0 }) => total + lostBytes, 0);
  const streams = statuses
    .flatMap((of) => of.streams)
    .map((stream) => ({ stream: stream.stream, source: stream.origin, ...balance(stream) }));
  const sum = (of: keyof StreamBalanceReport) => streams.reduce((total, stream) => total + stream[of], 0);
  return {
    role: 'collector',
    ...{ read: sum('read'), accepted: sum('accepted'), waiting: sum('waiting'), unread: sum('unread') },
    lost,
    ...(verbose && { streams }),
    ...listenersOf(statuses, verbose),
  };
}

function listenersOf(
  statuses: readonly SourceStatus[],
  verbose: boolean,
): { readonly listeners?: ListenerReport[] } {
  const listeners = statuses
    .flatMap((of) => of.listeners ?? [])
    .map(({ clients, ...listener }) => ({
      ...listener,
      senders: clients.length,
      ...(verbose && { clients: clients.slice(0, MAX_CLIENTS) }),
    }));
  return listeners.length === 0 ? {} : { listeners };
}

const MAX_CLIENTS = 100;

/** `waiting`: read and not accepted. `unread`: bytes of the files after that. */
function balance({ readBytes, acceptedBytes, waitingBytes }: StreamStatus): StreamBalanceReport {
  const waiting = readBytes - acceptedBytes;
  return { read: readBytes, accepted: acceptedBytes, waiting, unread: waitingBytes - waiting };
}
