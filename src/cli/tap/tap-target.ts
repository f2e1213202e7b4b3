import type { IncomingMessage } from 'node:http';
import { listTapPoints, tapRecords } from '../../aggregator/api/operations/tap-operations.ts';
import { listCollectorTapPoints, tapCollector } from '../../collector/operations.ts';
import { callControl, followControl, readControlAnswer } from '../../runtime/control/control-client.ts';
import { operationAnswer } from '../../runtime/operations/operation-answer.ts';
import { operationCall } from '../../runtime/operations/operation-call.ts';
import { OperationError } from '../../runtime/operations/operation-error.ts';
import type { TapPoints, TapQuery } from '../../tap/tap-request.ts';
import type { AggregatorApi } from '../monitor/api/aggregator-api.ts';
import { ApiError } from '../monitor/api/api-error.ts';
import type { KnownStateDirectory } from '../state-directories.ts';

/** A process whose records can be tapped. */
export interface TapTarget {
  readonly role: 'collector' | 'aggregator';
  /** Its state directory or URL. */
  readonly place: string;
  /** undefined: no process runs there. */
  points(): Promise<TapPoints | undefined>;
  /** The stream of events. undefined: no process runs there; `unknown`: it has no such point, and the reason. */
  open(
    query: TapQuery,
    signal: AbortSignal,
  ): Promise<IncomingMessage | { readonly unknown: string } | undefined>;
}

export function ownerTapTarget({ role, path }: KnownStateDirectory): TapTarget {
  const [list, tap] =
    role === 'aggregator' ? [listTapPoints, tapRecords] : [listCollectorTapPoints, tapCollector];
  return {
    ...{ role, place: path },
    points: async () => {
      const reply = await callControl(path, operationCall(list, {}));
      return reply === undefined ? undefined : operationAnswer(list, reply);
    },
    open: async (query, signal) => {
      const answer = await followControl(path, operationCall(tap, { query }), signal);
      if (answer === undefined || answer.statusCode === 200) return answer;
      return unknownPoint(await readControlAnswer(path, answer));
    },
  };
}

/** Throws the error of any other answer. */
function unknownPoint(reply: { readonly status: number; readonly text: string }): {
  readonly unknown: string;
} {
  try {
    operationAnswer({}, reply);
  } catch (error) {
    if (error instanceof OperationError && error.code === 'not-found') return { unknown: error.message };
    throw error;
  }
  return { unknown: 'The answer is not a stream.' };
}

export function urlTapTarget(api: AggregatorApi): TapTarget {
  return {
    role: 'aggregator',
    place: api.connection.url,
    points: () => api.call(listTapPoints, {}),
    open: async (query) => {
      try {
        return await api.events(operationCall(tapRecords, { query }).path);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return { unknown: error.message };
        throw error;
      }
    },
  };
}
