import { connect, type Socket } from 'node:net';
import type { Json } from '../../records/json.ts';
import { ControlError } from './control-error.ts';
import { type ControlResponse, jsonLines, writeLine } from './control-lines.ts';
import { openControlSocketPath } from './control-socket.ts';

export type ControlAnswer = { readonly answered: true; readonly value: Json } | { readonly answered: false };

const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

/**
 * Sends a command to the owner of a state directory. `answered: false`: there is no owner. Throws
 * ControlError when the command failed, or there was no answer.
 */
export async function callControl(
  directory: string,
  command: string,
  input: Json,
  { timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {},
): Promise<ControlAnswer> {
  const socket = await connectControl(directory);
  if (socket === undefined) return { answered: false };
  // Errors end the read loop below, which reports them.
  socket.on('error', () => {});
  let timedOut = false;
  socket.setTimeout(timeoutMs, () => {
    timedOut = true;
    socket.destroy();
  });
  try {
    await writeLine(socket, { command, input });
    const response = await firstResponse(socket);
    if (timedOut) throw new ControlError('timeout', `No answer within ${timeoutMs / 1000} seconds`);
    if (response === undefined) {
      throw new ControlError('interrupted', 'The process that owns the state ended before it answered');
    }
    if (!response.ok) throw new ControlError(response.kind, response.message);
    return { answered: true, value: response.value };
  } finally {
    socket.destroy();
  }
}

async function firstResponse(socket: Socket): Promise<ControlResponse | undefined> {
  try {
    for await (const line of jsonLines(socket, MAX_RESPONSE_BYTES)) return line as unknown as ControlResponse;
  } catch (error) {
    if (error instanceof ControlError) throw error;
  }
  return undefined;
}

/** undefined: nothing is listening. */
export async function connectControl(directory: string): Promise<Socket | undefined> {
  const socketPath = await openControlSocketPath(directory).catch(absent);
  if (socketPath === undefined) return undefined;
  try {
    return await connected(socketPath.path).catch(absent);
  } finally {
    await socketPath.close();
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR') return undefined;
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    throw new ControlError(
      'forbidden',
      'The state belongs to another user: run the command as that user or as root',
    );
  }
  throw error;
}
