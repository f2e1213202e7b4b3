import { listCollectors, listStreams } from '../../aggregator/api/operations/intake-operations.ts';
import type { StreamReport } from '../../aggregator/api/operations/intake-reports.ts';
import { getStatus } from '../../aggregator/api/operations/queue-operations.ts';
import { getCollectorStatus } from '../../collector/operations.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { callControl } from '../../runtime/control/control-client.ts';
import type { AnyTypedOperation } from '../../runtime/operations/operation.ts';
import { operationAnswer } from '../../runtime/operations/operation-answer.ts';
import { type CallAnswer, type CallInput, operationCall } from '../../runtime/operations/operation-call.ts';
import type { AggregatorApi } from '../monitor/api/aggregator-api.ts';
import type { KnownStateDirectory } from '../state-directories.ts';
import { nameOf } from './aggregator-frame.ts';
import type { AggregatorReading, TopQuery, TopTarget } from './top-reading.ts';

/** A process that is busy for longer is shown as such. */
const TIMEOUT_MS = 10_000;

/** The process that owns a state directory. The state of a process that does not run is not opened. */
export function ownerTarget({ role, path }: KnownStateDirectory, clock: Clock = systemClock): TopTarget {
  const target = { role, place: path };
  if (role === 'aggregator') {
    return {
      ...target,
      read: (query) => readAggregator((...called) => callOf(path, ...called), query, clock),
    };
  }
  return {
    ...target,
    read: async ({ limit, key }) => {
      const status = await callOf(path, getCollectorStatus, { query: { top: limit, sort: key } });
      return status === undefined ? undefined : { role: 'collector', atMs: clock.monotonicMs(), status };
    },
  };
}

/** An aggregator by the URL of its HTTP API. */
export function urlTarget(api: AggregatorApi, clock: Clock = systemClock): TopTarget {
  return {
    role: 'aggregator',
    place: api.connection.url,
    read: (query) =>
      readAggregator((operation, input) => api.call(operation as never, input as never), query, clock),
  };
}

type Call = <Called extends AnyTypedOperation>(
  operation: Called,
  input: CallInput<Called>,
) => Promise<CallAnswer<Called> | undefined>;

async function readAggregator(
  call: Call,
  { limit, key }: TopQuery,
  clock: Clock,
): Promise<AggregatorReading | undefined> {
  const status = await call(getStatus, {});
  const listed = await call(listCollectors, {});
  const found = await call(listStreams, { query: { limit, sort: 'rate' } });
  if (status === undefined || listed === undefined || found === undefined) return undefined;
  const atMs = clock.monotonicMs();
  const streams = key === 'name' ? found.streams.toSorted(byName) : found.streams;
  return { role: 'aggregator', atMs, status, collectors: listed.collectors, streams };
}

function byName(a: StreamReport, b: StreamReport): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

async function callOf<Called extends AnyTypedOperation>(
  directory: string,
  operation: Called,
  input: CallInput<Called>,
): Promise<CallAnswer<Called> | undefined> {
  const reply = await callControl(directory, operationCall(operation, input), { timeoutMs: TIMEOUT_MS });
  return reply === undefined ? undefined : (operationAnswer(operation, reply) as CallAnswer<Called>);
}
