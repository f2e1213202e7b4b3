import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningProcess } from '../testkit/running-process.ts';

/**
 * Resolves when a process accepts connections on this port of 127.0.0.1.
 *
 */
export async function untilListening(
  port: number,
  process: RunningProcess,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await accepts(port))) {
    if (process.exit !== undefined || Date.now() > deadline) {
      throw new Error(`${process.name} does not listen on port ${port}: ${process.stderr.slice(-2000)}`);
    }
    await sleep(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
