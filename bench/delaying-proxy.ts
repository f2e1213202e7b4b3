import { connect, createServer, type Socket } from 'node:net';

/**
 * A link with a delay and no other limit: each chunk is forwarded a fixed time after its arrival, in both
 * directions. Chunks in transit are held here; beyond a limit the proxy stops reading, like a full network.
 *
 *     node delaying-proxy.js LISTEN_PORT TARGET_PORT DELAY_MS
 */
const [listenPort = 0, targetPort = 0, delayMs = 0] = process.argv.slice(2).map(Number);
const MAX_HELD_BYTES = 64 * 1024 * 1024;

interface Held {
  readonly chunk: Buffer;
  readonly dueMs: number;
}

function delay(from: Socket, to: Socket): void {
  const queue: Held[] = [];
  let heldBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  const passOn = (): void => {
    timer = undefined;
    const now = performance.now();
    for (let head = queue[0]; head !== undefined && head.dueMs <= now; head = queue[0]) {
      queue.shift();
      heldBytes -= head.chunk.length;
      if (!to.write(head.chunk)) {
        to.once('drain', schedule);
        break;
      }
    }
    if (heldBytes < MAX_HELD_BYTES) from.resume();
    if (queue.length === 0 && ended) to.end();
    if (!to.writableNeedDrain) schedule();
  };
  const schedule = (): void => {
    const [head] = queue;
    if (head === undefined || timer !== undefined || to.writableNeedDrain) return;
    timer = setTimeout(passOn, Math.max(0, head.dueMs - performance.now()));
  };

  from.on('data', (chunk: Buffer) => {
    queue.push({ chunk, dueMs: performance.now() + delayMs });
    heldBytes += chunk.length;
    if (heldBytes >= MAX_HELD_BYTES) from.pause();
    schedule();
  });
  from.on('end', () => {
    ended = true;
    if (queue.length === 0) to.end();
  });
  from.on('error', () => to.destroy());
  from.on('close', () => {
    if (!ended) to.destroy();
  });
}

createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  delay(near, far);
  delay(far, near);
}).listen(listenPort, '127.0.0.1');
