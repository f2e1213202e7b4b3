import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpCall, HttpReply } from '../http/http-call.ts';
import { connectControlSocket } from './control-socket.ts';

/** Cannot get an answer from the process that owns a state directory. `message`: the reason, and what to do. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

/**
 * Sends a request to the process that owns a state directory. undefined: no process is running on it.
 * Rejects with ControlError when there is no answer.
 */
export async function callControl(
  directory: string,
  call: HttpCall,
  { timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {},
): Promise<HttpReply | undefined> {
  const socket = await connectControlSocket(directory).catch((error: NodeJS.ErrnoException) => {
    throw notAllowed(directory, error) ?? error;
  });
  if (socket === undefined) return undefined;
  let isTimedOut = false;
  socket.setTimeout(timeoutMs, () => {
    isTimedOut = true;
    socket.destroy();
  });
  try {
    const answer = await send(socket, call);
    return { status: answer.statusCode ?? 0, text: await readText(directory, answer) };
  } catch (error) {
    if (isTimedOut) throw timedOut(directory, timeoutMs);
    throw controlError(directory, error as NodeJS.ErrnoException);
  } finally {
    socket.destroy();
  }
}

/**
 * Sends a request whose answer is a stream, and resolves when the answer begins. `signal` ends it. undefined: no process
 * is running on the directory. Rejects with ControlError when there is no answer.
 */
export async function followControl(
  directory: string,
  call: HttpCall,
  signal: AbortSignal,
): Promise<IncomingMessage | undefined> {
  const socket = await connectControlSocket(directory).catch((error: NodeJS.ErrnoException) => {
    throw notAllowed(directory, error) ?? error;
  });
  if (socket === undefined) return undefined;
  const end = () => socket.destroy();
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', end));
  try {
    return await send(socket, call);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw controlError(directory, error as NodeJS.ErrnoException);
  }
}

/** Reads the whole answer. Rejects with ControlError. */
export async function readControlAnswer(directory: string, answer: IncomingMessage): Promise<HttpReply> {
  return { status: answer.statusCode ?? 0, text: await readText(directory, answer) };
}

function send(socket: Socket, { method, path, body }: HttpCall): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const request = httpRequest({
      method,
      path,
      headers: { host: 'localhost', ...headers },
      createConnection: () => socket,
    });
    request.once('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
}

async function readText(directory: string, answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES) {
      throw new ControlError(
        `Cannot read the answer of the process that runs on ${directory}: it must be at most ${MAX_ANSWER_BYTES} bytes.`,
      );
    }
  }
  return Buffer.concat(chunks).toString();
}

function notAllowed(directory: string, { code }: NodeJS.ErrnoException): ControlError | undefined {
  if (code !== 'EACCES' && code !== 'EPERM') return undefined;
  return new ControlError(
    `Cannot connect to the process that runs on ${directory}: permission denied (${code}). Run the command as the user of that process, or as root.`,
  );
}

function timedOut(directory: string, timeoutMs: number): ControlError {
  return new ControlError(
    `The process that runs on ${directory} did not answer within ${timeoutMs / 1000} s. See its log.`,
  );
}

function controlError(directory: string, error: NodeJS.ErrnoException): Error {
  if (error instanceof ControlError) return error;
  // Version 0.1.0 answers with a line of JSON.
  if (error.code?.startsWith('HPE_')) {
    return new ControlError(
      `Cannot read the answer of the process that runs on ${directory}: it is of an earlier version. Restart it.`,
    );
  }
  return new ControlError(
    `The process that runs on ${directory} ended before it answered (${error.code ?? error.message}). Repeat the command.`,
  );
}
