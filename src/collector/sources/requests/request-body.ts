import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import { PushFault } from '../../../protocols/http-push/push-fault.ts';
import { inflateSnappy } from '../../../protocols/http-push/snappy-block.ts';
import { BodyPieces } from './body-pieces.ts';

/** Why a body cannot be read: an HTTP status and a message for the client. */
export class BodyFault extends Error {
  override readonly name = 'BodyFault';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Limits the memory of all bodies of a listener that are being read or inflated. A body that would exceed it is answered
 * with a later retry.
 */
export class BodyMemory {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Returns false, and takes nothing, when the limit would be exceeded. */
  take(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

export type ContentEncoding = 'gzip' | 'deflate' | 'zstd' | 'snappy';

export interface BodyLimits {
  readonly maxBytes: number;
  readonly memory: BodyMemory;
  readonly encodings: readonly ContentEncoding[];
  /** The client sends this encoding also without a header. */
  readonly defaultEncoding?: ContentEncoding | undefined;
}

/**
 * Reads the body of a request, inflated, and calls `use` with it, while its memory counts. Rejects with a BodyFault, also
 * when it inflates to more than the limit.
 */
export async function withBody<Result>(
  request: IncomingMessage,
  { maxBytes, memory, encodings, defaultEncoding }: BodyLimits,
  use: (body: Buffer) => Promise<Result>,
): Promise<Result> {
  const encoding = encodingOf(request, encodings, defaultEncoding);
  let takenBytes = 0;
  const take = (bytes: number) => {
    if (!memory.take(bytes)) throw new BodyFault(503, 'Too many requests are being read. Retry the request.');
    takenBytes += bytes;
  };
  try {
    const body = await readBody(request, maxBytes, take);
    if (encoding === 'identity') return await use(body);
    take(maxBytes);
    return await use(await inflated(body, encoding, maxBytes));
  } finally {
    memory.release(takenBytes);
  }
}

function encodingOf(
  { headers }: IncomingMessage,
  encodings: readonly ContentEncoding[],
  defaultEncoding: ContentEncoding | 'identity' = 'identity',
): ContentEncoding | 'identity' {
  const text = (headers['content-encoding'] ?? '').trim().toLowerCase();
  if (text === '' || text === 'identity') return defaultEncoding;
  const encoding = encodings.find((each) => each === (text === 'x-gzip' ? 'gzip' : text));
  if (encoding !== undefined) return encoding;
  throw new BodyFault(415, `The content encoding must be ${encodings.join(', ')} or identity.`);
}

async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  take: (bytes: number) => void,
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const pieces = new BodyPieces();
  let sizeBytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      take(chunk.length);
      pieces.add(chunk);
    }
  } catch (error) {
    if (error instanceof BodyFault) throw error;
    throw new BodyFault(400, 'The body ended before its end.');
  }
  return pieces.concat();
}

async function inflated(body: Buffer, encoding: ContentEncoding, maxBytes: number): Promise<Buffer> {
  try {
    const result = await INFLATE[encoding](body, maxBytes);
    if (result !== undefined) return result;
  } catch (error) {
    if (error instanceof PushFault) throw new BodyFault(400, error.message);
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE')
      throw new BodyFault(400, `The body is not valid ${encoding}.`);
  }
  throw tooLarge(maxBytes);
}

const gunzipped = promisify(gunzip);
const inflatedZlib = promisify(inflate);
const inflatedRaw = promisify(inflateRaw);

type Inflate = (body: Buffer, maxBytes: number) => Promise<Buffer | undefined>;

/** Each returns undefined, or rejects with ERR_BUFFER_TOO_LARGE, above `maxBytes`. */
const INFLATE: Readonly<Record<ContentEncoding, Inflate>> = {
  gzip: (body, maxOutputLength) => gunzipped(body, { maxOutputLength }),
  // Some clients send the data without the header of zlib.
  deflate: (body, maxOutputLength) =>
    isZlib(body) ? inflatedZlib(body, { maxOutputLength }) : inflatedRaw(body, { maxOutputLength }),
  zstd: async (body, maxBytes) => {
    const { inflateZstd } = await import('../../../protocols/http-push/zstd-frames.ts');
    return inflateZstd(body, maxBytes);
  },
  snappy: async (body, maxBytes) => inflateSnappy(body, maxBytes),
};

function isZlib(body: Buffer): boolean {
  return body.length >= 2 && ((body[0] ?? 0) & 15) === 8 && body.readUInt16BE(0) % 31 === 0;
}

function tooLarge(maxBytes: number): BodyFault {
  return new BodyFault(413, `A request must be at most ${maxBytes} bytes, inflated. Send fewer log records.`);
}
