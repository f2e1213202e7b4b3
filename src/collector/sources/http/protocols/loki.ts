import { LOKI_LABELS } from '../../../../formats/marker-attributes.ts';
import type { LokiEntry } from '../../../../protocols/http-push/loki-entry.ts';
import { lokiEntriesOfJson } from '../../../../protocols/http-push/loki-json.ts';
import { lokiEntriesOfProtobuf } from '../../../../protocols/http-push/loki-protobuf.ts';
import type { Resource } from '../../../../records/resource.ts';
import { BodyFault } from '../../requests/request-body.ts';
import { JSON_TYPE, type PushProtocol, type PushRecord, type PushRequest } from '../push-protocol.ts';

const PUSH = '/loki/api/v1/push';
const READY = '/ready';

/** Loki's push API: `POST /loki/api/v1/push`, in JSON or in protobuf with Snappy. */
export const lokiProtocol: PushProtocol = {
  name: 'loki',
  encodings: ['gzip', 'deflate', 'snappy'],
  defaultEncoding: (request) => (isJson(request) || request.path === READY ? undefined : 'snappy'),
  isPublic: ({ path }) => path === READY,
  async answer(request, body, store) {
    if (request.path === READY) return { status: 200, body: 'ready\n', type: 'text/plain' };
    if (request.method !== 'POST') throw new BodyFault(405, 'Log entries are accepted with POST.');
    const entries = isJson(request) ? lokiEntriesOfJson(body) : lokiEntriesOfProtobuf(body);
    await store(recordsOf(entries, request.peer));
    return { status: 204, body: '' };
  },
  fault: ({ status, message }) => ({
    status: status === 403 ? 401 : status,
    body: `${message}\n`,
    type: 'text/plain',
  }),
};

export function isLokiRequest({ path }: Pick<PushRequest, 'path'>): boolean {
  return path === PUSH || path === READY;
}

function isJson({ mediaType }: PushRequest): boolean {
  return mediaType === JSON_TYPE;
}

function recordsOf(entries: readonly LokiEntry[], peer: Resource): readonly PushRecord[] {
  const peers = new Map<string, Resource>();
  return entries.map(({ bytes, labels, truncatedFrom }): PushRecord => {
    if (labels === undefined) return { bytes, format: 'http-loki', peer, truncatedFrom };
    const known = peers.get(labels) ?? new Map([...peer, [LOKI_LABELS, labels]]);
    peers.set(labels, known);
    return { bytes, format: 'http-loki', peer: known, truncatedFrom };
  });
}
