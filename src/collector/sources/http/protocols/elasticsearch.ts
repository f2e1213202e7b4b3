import { type BulkOperation, readBulk } from '../../../../protocols/http-push/elasticsearch-bulk.ts';
import { PushFault } from '../../../../protocols/http-push/push-fault.ts';
import type { Resource } from '../../../../records/resource.ts';
import { BodyFault } from '../../requests/request-body.ts';
import { peerWith } from '../peer-of.ts';
import {
  JSON_TYPE,
  jsonAnswer,
  type PushAnswer,
  type PushProtocol,
  type PushRecord,
  type PushRejection,
  type PushRequest,
  type PushStore,
} from '../push-protocol.ts';
import { clusterAnswer } from './elasticsearch-cluster.ts';

const INDEX = 'elasticsearch.index';
const DOCUMENT_ID = 'elasticsearch.document_id';
const PIPELINE = 'elasticsearch.pipeline';
/** The journal has both for each document with an identifier: a small request must not become many times as large. */
const MAX_NAME_BYTES = 255;

/** The APIs of Elasticsearch that agents use to send documents. Clients check the header that names the product. */
export class ElasticsearchProtocol implements PushProtocol {
  readonly name = 'elasticsearch';
  readonly encodings = ['gzip', 'deflate', 'zstd'] as const;
  readonly #version: string;

  constructor(version: string) {
    this.#version = version;
  }

  isPublic(): boolean {
    return false;
  }

  async answer(request: PushRequest, body: Buffer, store: PushStore): Promise<PushAnswer> {
    return asProduct(await this.#answer(request, body, store), request);
  }

  fault({ status, message }: PushRejection): PushAnswer {
    // 429 is the answer of a cluster with full queues: clients retry it.
    const own = status === 503 ? 429 : status === 403 ? 401 : status;
    return asProduct(jsonAnswer(own, errorBody(own, message)));
  }

  #answer(request: PushRequest, body: Buffer, store: PushStore): Promise<PushAnswer> | PushAnswer {
    const { method, path } = request;
    const parts = path.split('/').slice(1).map(decoded);
    const isWrite = method === 'POST' || method === 'PUT';
    if (parts.at(-1) === '_bulk') {
      if (!isWrite) throw new BodyFault(405, 'Documents are accepted with POST.');
      return bulk(request, readBulk(body, parts.length > 1 ? (parts[0] ?? '') : ''), store);
    }
    if (isWrite && (parts[1] === '_doc' || parts[1] === '_create'))
      return single(request, body, { parts, store });
    const answer = clusterAnswer(request, this.#version);
    if (answer !== undefined) return answer;
    throw new BodyFault(400, `no handler found for uri [${path}] and method [${method}]`);
  }
}

async function bulk(
  request: PushRequest,
  operations: readonly BulkOperation[],
  store: PushStore,
): Promise<PushAnswer> {
  const peerOf = peersOf(request);
  const records = operations.flatMap((each) => recordOf(each, peerOf) ?? []);
  await store(records);
  const isShort = request.query.has('filter_path');
  const items = operations.map((each) => `{"${each.action}":${resultText(each, isShort)}}`).join();
  const errors = operations.some((each) => problemOf(each) !== undefined);
  const took = isShort ? '' : '"took":0,';
  return { status: 200, body: `{${took}"errors":${errors},"items":[${items}]}`, type: JSON_TYPE };
}

interface SingleRequest {
  readonly parts: readonly string[];
  readonly store: PushStore;
}

async function single(
  request: PushRequest,
  document: Buffer,
  { parts: [index = '', kind, id], store }: SingleRequest,
): Promise<PushAnswer> {
  if (document.length === 0) throw new PushFault('request body is required');
  const operation = { action: kind === '_create' ? 'create' : 'index', index, id, document } as const;
  const record = recordOf(operation, peersOf(request));
  if (record === undefined) throw new PushFault('index is missing');
  await store([record]);
  return { status: 201, body: resultText(operation, false), type: JSON_TYPE };
}

function problemOf({ action, index }: BulkOperation): string | undefined {
  if (action === 'update' || action === 'delete')
    return 'the collector stores documents of create and index only';
  return index === '' ? 'index is missing' : undefined;
}

function recordOf(
  operation: BulkOperation,
  peerOf: (index: string, id: string | undefined) => Resource,
): PushRecord | undefined {
  const { document, index, id } = operation;
  if (document === undefined || problemOf(operation) !== undefined) return undefined;
  return { bytes: document, format: 'http-elasticsearch', peer: peerOf(index, id) };
}

/** The attributes of documents; the same object for those of an index without an identifier. */
function peersOf({ peer, query }: PushRequest): (index: string, id: string | undefined) => Resource {
  const pipeline = name(query.get('pipeline') ?? '', 'The pipeline');
  const known = new Map<string, Resource>();
  return (index, id) => {
    let shared = known.get(index);
    if (shared === undefined) {
      const own = [[INDEX, name(index, '_index')] as const, [PIPELINE, pipeline] as const];
      shared = peerWith(peer, own);
      known.set(index, shared);
    }
    return id === undefined ? shared : new Map(shared).set(DOCUMENT_ID, id);
  };
}

function name(text: string, what: string): string {
  if (Buffer.byteLength(text) <= MAX_NAME_BYTES) return text;
  throw new PushFault(`${what} must be at most ${MAX_NAME_BYTES} bytes, got ${Buffer.byteLength(text)}.`);
}

/** JSON as text: objects of 100,000 documents would cost more than storing the documents. */
function resultText(operation: BulkOperation, isShort: boolean): string {
  const { index, id } = operation;
  const reason = problemOf(operation);
  const ownId = id === undefined ? '' : `"_id":${JSON.stringify(id)},`;
  const place = isShort ? '' : `"_index":${JSON.stringify(index)},${ownId}`;
  if (reason === undefined) return `{${place}${isShort ? CREATED_SHORT : CREATED}}`;
  const error = { type: 'illegal_argument_exception', reason };
  return `{${place}"status":400,"error":${JSON.stringify(error)}}`;
}

const CREATED_SHORT = '"status":201';
const CREATED =
  '"_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},' +
  '"_seq_no":0,"_primary_term":1,"status":201';

function errorBody(status: number, reason: string): object {
  const type = ERROR_TYPES[status] ?? 'illegal_argument_exception';
  return { error: { root_cause: [{ type, reason }], type, reason }, status };
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: 'security_exception',
  429: 'es_rejected_execution_exception',
  500: 'exception',
};

const VENDOR_TYPE = /application\/vnd\.elasticsearch\+json\s*;\s*compatible-with=\d+/;

/** Clients of version 8 and later expect the type that they accept. */
function asProduct(answer: PushAnswer, request?: PushRequest): PushAnswer {
  const vendor = VENDOR_TYPE.exec(request?.headers.accept ?? '')?.[0];
  return {
    ...answer,
    type: answer.type === JSON_TYPE && vendor !== undefined ? vendor : (answer.type ?? JSON_TYPE),
    headers: { ...answer.headers, 'x-elastic-product': 'Elasticsearch' },
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new PushFault('The path is not valid.');
  }
}
