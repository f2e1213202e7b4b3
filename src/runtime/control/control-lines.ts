import type { Socket } from 'node:net';
import type { Json } from '../../records/json.ts';
import { ControlError } from './control-error.ts';

/** A command for the owner. */
export interface ControlRequest {
  readonly command: string;
  readonly input: Json;
}

/** The owner's answer. */
export type ControlResponse =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly kind: string; readonly message: string };

const NEWLINE = 0x0a;

/**
 * The lines of a socket, each parsed as JSON, one at a time: the next line is read only after the previous
 * one was handled. Throws ControlError for a line that is too long or not JSON.
 */
export async function* jsonLines(socket: Socket, maxLineBytes: number): AsyncGenerator<Json> {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  // The reader decides when the socket ends: an answer may still be pending.
  const chunks: AsyncIterable<Buffer> = socket.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      if (sizeBytes + end > maxLineBytes) throw tooLong(maxLineBytes);
      yield parseLine(Buffer.concat([...parts, rest.subarray(0, end)]));
      parts = [];
      sizeBytes = 0;
      rest = rest.subarray(end + 1);
    }
    parts.push(rest);
    sizeBytes += rest.length;
    if (sizeBytes > maxLineBytes) throw tooLong(maxLineBytes);
  }
}

function tooLong(maxLineBytes: number): ControlError {
  return new ControlError('too-large', `A line is longer than ${maxLineBytes} bytes`);
}

function parseLine(line: Buffer): Json {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line)) as Json;
  } catch {
    throw new ControlError('invalid-request', 'A line is not JSON in UTF-8');
  }
}

/** Resolves when the other side's socket has received the line, or can no longer receive it. */
export async function writeLine(socket: Socket, value: ControlRequest | ControlResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('close', resolve);
    socket.write(`${JSON.stringify(value)}\n`, () => {
      socket.off('close', resolve);
      resolve();
    });
  });
}
