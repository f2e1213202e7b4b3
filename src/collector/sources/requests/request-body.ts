import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const inflate = promisify(gunzip);

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

export interface BodyLimits {
  readonly maxBytes: number;
  readonly memory: BodyMemory;
}

/**
 * Reads the body of a request, inflated, and calls `use` with it, while its memory counts. Rejects with a BodyFault, also
 * when it inflates to more than the limit.
 */
export async function withBody<Result>(
  request: IncomingMessage,
  { maxBytes, memory }: BodyLimits,
  use: (body: Buffer) => Promise<Result>,
): Promise<Result> {
  const encoding = encodingOf(request);
  let takenBytes = 0;
  const take = (bytes: number) => {
    if (!memory.take(bytes)) throw new BodyFault(503, 'Too many requests are being read. Retry the request.');
    takenBytes += bytes;
  };
  try {
    const body = await readBody(request, maxBytes, take);
    if (encoding === 'identity') return await use(body);
    take(maxBytes);
    return await use(await inflated(body, maxBytes));
  } finally {
    memory.release(takenBytes);
  }
}

function encodingOf({ headers }: IncomingMessage): 'identity' | 'gzip' {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === 'gzip') return encoding;
  throw new BodyFault(415, 'The content encoding must be gzip or identity.');
}

async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  take: (bytes: number) => void,
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      take(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BodyFault) throw error;
    throw new BodyFault(400, 'The body ended before its end.');
  }
  return Buffer.concat(chunks);
}

async function inflated(body: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await inflate(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new BodyFault(400, 'The body is not valid gzip.');
  }
}

function tooLarge(maxBytes: number): BodyFault {
  return new BodyFault(413, `A request must be at most ${maxBytes} bytes, inflated. Send fewer log records.`);
}
