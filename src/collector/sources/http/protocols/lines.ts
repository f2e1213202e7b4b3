import { jsonValues } from '../../../../protocols/http-push/json-values.ts';
import { PushFault } from '../../../../protocols/http-push/push-fault.ts';
import { textLines } from '../../../../protocols/http-push/text-lines.ts';
import { BodyFault } from '../../requests/request-body.ts';
import { peerWith } from '../peer-of.ts';
import { jsonAnswer, type PushAnswer, type PushProtocol, type PushRequest } from '../push-protocol.ts';

const PATHS: readonly string[] = ['', '/v1/push'];
const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'text/json']);
/** Without a content type in its arguments, curl sends that of a form. */
const LINE_TYPES: ReadonlySet<string> = new Set([
  ...['', 'application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonlines'],
  ...['application/json-lines', 'application/json-seq', 'application/x-www-form-urlencoded'],
  'application/octet-stream',
]);

/** Lines of text, JSON lines, JSON objects, or a JSON array: `POST /v1/push`, or `POST /`. */
export const linesProtocol: PushProtocol = {
  name: 'push',
  encodings: ['gzip', 'deflate', 'zstd', 'snappy'],
  isPublic: () => false,
  async answer(request, body, store) {
    if (request.method !== 'POST' && request.method !== 'PUT')
      throw new BodyFault(405, 'Records are accepted with POST.');
    const values = valuesIn(request, body);
    const peer = peerWith(request.peer, request.query);
    await store(values.map((bytes) => ({ bytes, format: 'http', peer })));
    return jsonAnswer(200, { records: values.length });
  },
  fault: ({ status, message }): PushAnswer => jsonAnswer(status === 403 ? 401 : status, { error: message }),
};

export function isLinesRequest({ method, path }: Pick<PushRequest, 'method' | 'path'>): boolean {
  return PATHS.includes(path) && (path !== '' || method === 'POST' || method === 'PUT');
}

function valuesIn({ mediaType }: PushRequest, body: Buffer): readonly Buffer[] {
  const isJson = JSON_TYPES.has(mediaType);
  if (!isJson && !LINE_TYPES.has(mediaType) && !mediaType.startsWith('text/'))
    throw new BodyFault(
      415,
      'The content type must be application/json, application/x-ndjson or text/plain.',
    );
  return isJson ? jsonOrLines(body) : textLines(body);
}

/** Some clients send lines that are not JSON, or not only JSON, with the type of JSON. */
function jsonOrLines(body: Buffer): readonly Buffer[] {
  const first = /\S/.exec(body.subarray(0, 1024).toString('latin1'))?.[0];
  try {
    return jsonValues(body);
  } catch (error) {
    if (first === '[' || !(error instanceof PushFault)) throw error;
    return textLines(body);
  }
}
