import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { REUSED_READ_BUFFER, withReusedReadBuffer } from '../../src/runtime/reused-read-buffer.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PATIENT = { timeout: 20_000, interval: 5 };

interface Opened {
  readonly server: Server;
  readonly sockets: readonly Socket[];
  /** The memory of the chunks. */
  readonly memory: ReadonlySet<ArrayBufferLike>;
  /** What each connection sent. */
  readonly received: () => string;
}

async function opened(path?: string, readBytes?: number): Promise<Opened> {
  const sockets: Socket[] = [];
  const memory = new Set<ArrayBufferLike>();
  let received = '';
  const server = createServer({ allowHalfOpen: true, ...REUSED_READ_BUFFER }, (accepted) => {
    const socket = withReusedReadBuffer(accepted, readBytes);
    sockets.push(socket);
    socket.on('data', (chunk: Buffer) => {
      memory.add(chunk.buffer);
      received += chunk.toString();
    });
    socket.on('error', () => {});
  });
  server.listen(path ?? 0);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { server, sockets, memory, received: () => received };
}

async function connected({ server }: Opened): Promise<Socket> {
  const address = server.address() as AddressInfo | string;
  const socket = typeof address === 'string' ? connect(address) : connect(address.port);
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

it('reads all connections into the same memory', async () => {
  const listening = await opened();
  const clients = [await connected(listening), await connected(listening)];
  for (const [index, client] of clients.entries()) {
    client.write(`${index};`);
    await vi.waitFor(() => expect(listening.received()).toContain(`${index};`), PATIENT);
  }
  expect(listening.received()).toBe('0;1;');
  expect(listening.memory.size).toBe(1);
});

it('reads a Unix socket', async () => {
  const listening = await opened(join(await temporaryDirectory(), 'socket'));
  const client = await connected(listening);
  client.write('one');
  await vi.waitFor(() => expect(listening.received()).toBe('one'), PATIENT);
});

it('holds the peer back while the socket is paused, and loses nothing', async () => {
  const listening = await opened();
  const client = await connected(listening);
  client.write('begin;');
  await vi.waitFor(() => expect(listening.received()).toBe('begin;'), PATIENT);
  listening.sockets[0]?.pause();
  const rest = 'x'.repeat(20 * 1024 * 1024);
  client.write(rest);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(listening.received()).toBe('begin;');
  expect(client.writableLength).toBeGreaterThan(0);
  listening.sockets[0]?.resume();
  await vi.waitFor(() => expect(listening.received().length).toBe('begin;'.length + rest.length), PATIENT);
});

it('leaves turns of the event loop to others while a client sends as fast as it can', async () => {
  const listening = await opened(undefined, 256 * 1024);
  const client = await connected(listening);
  client.write('begin;');
  await vi.waitFor(() => expect(listening.received()).toBe('begin;'), PATIENT);
  const [socket] = listening.sockets;
  socket?.pause();
  const rest = 'x'.repeat(20 * 1024 * 1024);
  client.write(rest);
  let [turnBytes, mostBytes] = [0, 0];
  socket?.on('data', (chunk: Buffer) => {
    if (turnBytes === 0) {
      setImmediate(() => {
        turnBytes = 0;
      });
    }
    turnBytes += chunk.length;
    mostBytes = Math.max(mostBytes, turnBytes);
  });
  socket?.resume();
  await vi.waitFor(() => expect(listening.received().length).toBe('begin;'.length + rest.length), PATIENT);
  expect(mostBytes).toBeLessThan(1024 * 1024);
});

it('answers a client that has closed its side', async () => {
  const listening = await opened();
  const client = await connected(listening);
  const ended = vi.waitFor(() => expect(listening.sockets).toHaveLength(1), PATIENT);
  await ended;
  listening.sockets[0]?.on('end', () => listening.sockets[0]?.end('answer'));
  let answer = '';
  client.on('data', (chunk) => {
    answer += chunk;
  });
  client.end('question');
  await once(client, 'close');
  expect(answer).toBe('answer');
  expect(listening.received()).toBe('question');
});

it('closes the server after the last connection, and counts connections until then', async () => {
  const listening = await opened();
  const { server } = listening;
  const clients = [await connected(listening), await connected(listening)];
  const count = () => new Promise((resolve) => server.getConnections((_, open) => resolve(open)));
  await vi.waitFor(async () => expect(await count()).toBe(2), PATIENT);
  const closed = once(server, 'close');
  server.close();
  clients[0]?.destroy();
  await vi.waitFor(() => expect(listening.sockets[0]?.readableEnded).toBe(true), PATIENT);
  listening.sockets[0]?.destroy();
  await vi.waitFor(async () => expect(await count()).toBe(1), PATIENT);
  listening.sockets[1]?.destroy();
  await closed;
});

it('reports a connection that the peer resets', async () => {
  const listening = await opened();
  const client = await connected(listening);
  await vi.waitFor(() => expect(listening.sockets).toHaveLength(1), PATIENT);
  const closed = new Promise((resolve) => listening.sockets[0]?.once('close', resolve));
  client.resetAndDestroy();
  await closed;
});
