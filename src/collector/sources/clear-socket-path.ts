import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** A peer with a full backlog neither accepts nor refuses; a peer without an answer for this time is alive. */
const ANSWER_WITHIN_MS = 1000;

/**
 * Removes the socket that a killed process left at this path. Throws when the path is in use: neither another kind of
 * file nor the socket of a listening process is ever removed.
 */
export async function clearSocketPath(path: string): Promise<void> {
  const node = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (node === undefined) return;
  if (!node.isSocket()) throw new Error(`${path} exists and is not a socket; remove it, or use another path`);
  const answer = await answerOf(path);
  if (answer === 'ENOENT') return;
  if (answer !== 'ECONNREFUSED') throw new Error(`another process uses the socket ${path} (${answer})`);
  await unlink(path);
}

/** Returns `connected`, `timeout`, or the code of an error. */
function answerOf(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const answer = (text: string) => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(ANSWER_WITHIN_MS, () => answer('timeout'));
    socket.once('connect', () => answer('connected'));
    socket.once('error', (error: NodeJS.ErrnoException) => answer(error.code ?? error.message));
  });
}
