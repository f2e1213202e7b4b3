import { SPLUNK_NAMES } from '../../../../formats/http/http-splunk.ts';
import { PushFault } from '../../../../protocols/http-push/push-fault.ts';
import { readSplunkEvents } from '../../../../protocols/http-push/splunk-events.ts';
import { textLines } from '../../../../protocols/http-push/text-lines.ts';
import type { Resource } from '../../../../records/resource.ts';
import { BodyFault } from '../../requests/request-body.ts';
import { peerWith } from '../peer-of.ts';
import {
  jsonAnswer,
  type PushAnswer,
  type PushProtocol,
  type PushRejection,
  type PushRequest,
} from '../push-protocol.ts';

const ROOT = '/services/collector';
const HEALTH = ['/health', '/health/1.0'];
const RAW = ['/raw', '/raw/1.0'];
const EVENT = ['', '/event', '/event/1.0'];
const ACK = '/ack';

/** Splunk's HTTP Event Collector. Each listener numbers its answers. */
export class SplunkProtocol implements PushProtocol {
  readonly name = 'splunk';
  readonly encodings = ['gzip'] as const;
  #nextAckId = 0;

  isPublic(request: PushRequest): boolean {
    return HEALTH.includes(operationOf(request));
  }

  tokenOf({ query }: PushRequest): string | undefined {
    return query.get('token') ?? undefined;
  }

  async answer(request: PushRequest, body: Buffer, store: Parameters<PushProtocol['answer']>[2]) {
    const operation = operationOf(request);
    if (HEALTH.includes(operation)) return coded(200, 17);
    if (operation === ACK) return acknowledgements(request, body);
    const isRaw = RAW.includes(operation);
    if (!isRaw && !EVENT.includes(operation)) throw new BodyFault(404, 'The requested URL was not found.');
    if (request.method !== 'POST') throw new BodyFault(405, 'Events are accepted with POST.');
    const peer = peerWith(request.peer, metadataOf(request));
    if (isRaw) return this.#raw(body, { request, peer, store });
    const { events, fault } = readSplunkEvents(body);
    await store(events.map((bytes) => ({ bytes, format: 'http-splunk', peer })));
    return fault === undefined ? this.#accepted(request) : coded(400, fault.code, fault.eventNumber);
  }

  fault({ status, message }: PushRejection): PushAnswer {
    if (status === 401) return coded(401, 2);
    if (status === 403) return coded(403, 4);
    if (status === 503) return coded(503, 9);
    if (status === 500) return coded(500, 8);
    return status === 400 ? coded(400, 6) : jsonAnswer(status, { text: message, code: status });
  }

  async #raw(body: Buffer, { request, peer, store }: RawRequest): Promise<PushAnswer> {
    const lines = textLines(body);
    if (lines.length === 0) return coded(400, 5);
    await store(lines.map((bytes) => ({ bytes, format: 'http', peer })));
    return this.#accepted(request);
  }

  /** A client with a channel receives a number, to ask for the acknowledgement. */
  #accepted(request: PushRequest): PushAnswer {
    if (channelOf(request) === undefined) return coded(200, 0);
    return jsonAnswer(200, { text: TEXTS[0], code: 0, ackId: this.#nextAckId++ });
  }
}

interface RawRequest {
  readonly request: PushRequest;
  readonly peer: Resource;
  readonly store: Parameters<PushProtocol['answer']>[2];
}

export function isSplunkRequest({ path }: Pick<PushRequest, 'path'>): boolean {
  return path === ROOT || path.startsWith(`${ROOT}/`);
}

function operationOf({ path }: PushRequest): string {
  return path.slice(ROOT.length);
}

function channelOf({ headers, query }: PushRequest): string | undefined {
  const header = headers['x-splunk-request-channel'];
  return (typeof header === 'string' ? header : undefined) ?? query.get('channel') ?? undefined;
}

function metadataOf({ query }: PushRequest): readonly (readonly [string, string | null])[] {
  return [...SPLUNK_NAMES].map(([key, name]) => [name, query.get(key)]);
}

/**
 * A number is sent when its events are on disk, so each number that a client has is acknowledged, also those from
 * before a restart.
 */
function acknowledgements(request: PushRequest, body: Buffer): PushAnswer {
  if (request.method !== 'POST') throw new BodyFault(405, 'Acknowledgements are requested with POST.');
  if (channelOf(request) === undefined) return coded(400, 10);
  const ids = idsIn(body);
  return jsonAnswer(200, { acks: Object.fromEntries(ids.map((id) => [id, true])) });
}

function idsIn(body: Buffer): readonly number[] {
  const value = parsed(body);
  const acks = typeof value === 'object' && value !== null && 'acks' in value ? value.acks : undefined;
  if (!Array.isArray(acks) || !acks.every((id) => Number.isSafeInteger(id) && id >= 0))
    throw new PushFault('acks must be a list of numbers.');
  return acks;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new PushFault('The body is not JSON.');
  }
}

function coded(status: number, code: number, eventNumber?: number): PushAnswer {
  const number = eventNumber === undefined ? {} : { 'invalid-event-number': eventNumber };
  return jsonAnswer(status, { text: TEXTS[code], code, ...number });
}

/** Those of Splunk: some clients compare them. */
const TEXTS: Readonly<Record<number, string>> = {
  0: 'Success',
  2: 'Token is required',
  4: 'Invalid token',
  5: 'No data',
  6: 'Invalid data format',
  8: 'Internal server error',
  9: 'Server is busy',
  10: 'Data channel is missing',
  12: 'Event field is required',
  13: 'Event field cannot be blank',
  15: 'Error in handling indexed fields',
  17: 'HEC is healthy',
};
