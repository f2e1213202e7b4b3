import type { IncomingMessage } from 'node:http';
import type { Json } from '../../records/json.ts';
import { HttpError } from './http-error.ts';

/**
 * Reads and discards up to this much of a too large body: a client that is still sending would not read the answer.
 */
const MAX_DISCARDED_BYTES = 1024 * 1024;
const MAX_DEPTH = 32;

/** Reads the body of a request as JSON. Rejects with an HttpError. The server limits the time. */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<Json> {
  checkType(request);
  const text = textOf(await readBytes(request, maxBytes));
  if (depthOf(text) > MAX_DEPTH) throw invalid(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw invalid('The body is not JSON.');
  }
}

function checkType({ headers }: IncomingMessage): void {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const isUtf8 = parameters.every((each) => !/^\s*charset=(?!"?utf-8"?\s*$)/.test(each));
  const isEncoded = (headers['content-encoding'] ?? 'identity') !== 'identity';
  if (type.trim() === 'application/json' && isUtf8 && !isEncoded) return;
  throw new HttpError(
    415,
    'unsupported-media-type',
    'Expected a body with content-type: application/json, in UTF-8, not compressed.',
  );
}

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const maxReadBytes = Math.max(maxBytes, MAX_DISCARDED_BYTES);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const settle = (result: Buffer | HttpError) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      if (result instanceof HttpError) reject(result);
      else resolve(result);
    };
    const onData = (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
      if (sizeBytes > maxReadBytes) settle(tooLarge(maxBytes));
    };
    const onEnd = () => settle(sizeBytes > maxBytes ? tooLarge(maxBytes) : Buffer.concat(chunks));
    const onClose = () => settle(invalid('The body ended before its end.'));
    if (request.destroyed) {
      onClose();
      return;
    }
    if (Number(request.headers['content-length'] ?? 0) > maxReadBytes) {
      settle(tooLarge(maxBytes));
      return;
    }
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('The body is not UTF-8.');
  }
}

function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (isText && character === '\\') at++;
    else if (character === '"') isText = !isText;
    else if (isText) continue;
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth--;
  }
  return deepest;
}

function invalid(message: string): HttpError {
  return new HttpError(400, 'invalid-request', message);
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, 'too-large', `The body is larger than ${maxBytes} bytes.`);
}
