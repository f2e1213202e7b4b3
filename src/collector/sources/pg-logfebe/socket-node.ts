import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** A peer whose backlog is full neither takes nor refuses; whoever lets us wait so long is alive. */
const ANSWER_WITHIN_MS = 1000;

/**
 * Makes room for a socket at this path: removes a node that a killed process left behind. Throws when something else
 * is there: a file is never removed, nor the socket of a process that listens.
 */
export async function clearSocketPath(path: string): Promise<void> {
  const node = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (node === undefined) return;
  if (!node.isSocket()) throw new Error('something that is not a socket is there; it is left alone');
  const answer = await answerOf(path);
  if (answer === 'ENOENT') return;
  if (answer !== 'ECONNREFUSED') throw new Error(`another process has this socket (${answer})`);
  await unlink(path);
}

/** `connected`, `timeout`, or an error's code. */
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
