import type { Logger } from 'pino';
import { z } from 'zod';
import type { StreamId } from '../records/stream-id.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HttpHandler } from '../runtime/http/http-contract.ts';
import { HttpError } from '../runtime/http/http-error.ts';
import { type Operation, operation, streamedOperation } from '../runtime/operations/operation.ts';
import { loggedOperations } from '../runtime/operations/operation-events.ts';
import { operationRoutes } from '../runtime/operations/operation-routes.ts';
import { ownerHandler } from '../runtime/operations/owner-handler.ts';
import { tapPoints, tapQuery, tapRequestOf } from '../tap/tap-request.ts';
import type { Taps } from '../tap/taps.ts';
import {
  type CollectorStatus,
  collectorStatusReport,
  fileExplanation,
  type ListenerReport,
  type StreamBalanceReport,
  type TopStreamReport,
  topStreamsKey,
} from './collector-reports.ts';
import { explainSubject } from './explain-subject.ts';
import type { Source, SourceStatus } from './source.ts';
import type { StreamStatus } from './stream-status.ts';
import { collectorTapPoints, collectorTapSelector } from './tap-points.ts';
import { type SentRecords, TopStreams } from './top-streams.ts';

/** The parts of a source that the operations need. */
type ReportingSource = Pick<Source, 'status' | 'explain'> & Partial<Pick<Source, 'name'>>;

/** The open state of a collector, as its operations need it. */
export interface CollectorState {
  readonly sources: readonly ReportingSource[];
  /** Forgets a file, and returns the number of its streams. */
  readonly forget: (path: string) => Promise<number>;
  /** Absent: no collector runs. */
  readonly publisher?: PublisherReport;
  readonly taps?: Taps;
}

/** The parts of the publisher that the operations need. */
export interface PublisherReport {
  /** The records of all streams since the start. */
  readonly sentRecords: number;
  readonly connectedTo: string | undefined;
  /** The records of an open stream since the start. */
  sentRecordsOf(stream: StreamId): number | undefined;
}

export interface CollectorContext {
  /** Throws HttpError when the state is not open. */
  readonly state: () => CollectorState;
  readonly topStreams: TopStreams;
  readonly clock: Clock;
}

const MAX_TOP = 1000;

export const getCollectorStatus = operation({
  id: 'getStatus',
  method: 'GET',
  path: '/v1/status',
  tag: 'sources',
  summary: 'Get the balance of the sources: read = accepted + waiting.',
  access: 'owner',
  query: z.strictObject({
    verbose: z.boolean().optional().meta({ description: 'Include every stream.' }),
    top: z
      .int()
      .min(1)
      .max(MAX_TOP)
      .optional()
      .meta({ description: 'Include this number of streams with their rates since the previous request.' }),
    sort: topStreamsKey.optional().meta({ description: 'Of `top`; default: rate.' }),
  }),
  status: 200,
  answer: collectorStatusReport,
  run: async ({ state, topStreams }: CollectorContext, { query: { verbose = false, top, sort } }) => {
    const { sources, publisher } = state();
    const statuses = sources.map((source) => source.status());
    const status = statusOf(statuses, verbose);
    if (top === undefined) return status;
    const streams = statuses.flatMap((each) => each.streams);
    const sentRecords: SentRecords = (stream) => publisher?.sentRecordsOf(stream);
    const listed = topStreams.list(streams, { limit: top, key: sort ?? 'rate', sentRecords });
    return { ...status, ...topReport(listed, streams.length, publisher) };
  },
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

export const listCollectorTapPoints = operation({
  id: 'listTapPoints',
  method: 'GET',
  path: '/v1/tap/points',
  tag: 'sources',
  summary: 'List the points at which records can be tapped.',
  access: 'owner',
  status: 200,
  answer: tapPoints,
  run: async ({ state }: CollectorContext) => collectorTapPoints(tapped(state()).sources),
});

export const tapCollector = streamedOperation({
  id: 'tapRecords',
  method: 'GET',
  path: '/v1/tap',
  tag: 'sources',
  summary: 'Follow the records that pass a point of the collector, as they are sent.',
  access: 'owner',
  query: tapQuery,
  status: 200,
  answer: 'events',
  errors: [429],
  run: async ({ state, clock }: CollectorContext, { query, request }) => {
    const { taps, sources } = tapped(state());
    const selector = collectorTapSelector(query.point, sources, clock);
    return taps.open(tapRequestOf(query), selector, request);
  },
});

/** Throws HttpError if no collector runs: then no record passes. */
function tapped({ sources, taps }: CollectorState) {
  if (taps === undefined) throw new HttpError(409, 'conflict', 'Cannot tap records: no collector runs here.');
  return {
    taps,
    sources: sources.map((source) => ({ name: source.name ?? '', status: () => source.status() })),
  };
}

/**
 * Everything that a collector answers. All of it is for the owner: it reveals paths of files, and a collector
 * has no token.
 */
export const COLLECTOR_OPERATIONS: readonly Operation<CollectorContext>[] = [
  getCollectorStatus,
  explainFile,
  forgetFile,
  listCollectorTapPoints,
  tapCollector,
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
    clock,
    topStreams: new TopStreams(clock),
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

function topReport(
  top: readonly TopStreamReport[],
  streamCount: number,
  publisher: PublisherReport | undefined,
): Partial<CollectorStatus> {
  if (publisher === undefined) return { top: [...top], streamCount };
  const { sentRecords, connectedTo } = publisher;
  const connection = connectedTo === undefined ? {} : { aggregator: connectedTo };
  return { top: [...top], streamCount, sentRecords, ...connection };
}

function statusOf(statuses: readonly SourceStatus[], verbose: boolean): CollectorStatus {
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
