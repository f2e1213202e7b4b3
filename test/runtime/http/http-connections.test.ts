import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Address, formatAddress } from '../../../src/runtime/configuration/address.ts';
import { HttpServer, type HttpServerOptions } from '../../../src/runtime/http/http-server.ts';
import { capturedLogger } from '../../support/captured-logger.ts';

async function serving(options: Partial<HttpServerOptions> = {}) {
  const { logger, lines } = capturedLogger();
  const server = new HttpServer({
    address: { host: '127.0.0.1', port: 0 },
    metrics: new Registry(),
    health: () => ({ ready: true, late: [] }),
    logger,
    ...options,
  });
  await server.start();
  onTestFinished(() => server.stop(AbortSignal.abort()));
  const address = server.address as Address;
  const get = async (path: string) =>
    (await fetch(`http://${formatAddress(address)}${path}`, { headers: { connection: 'close' } })).status;
  return { address, get, lines };
}

/** Connections that send these bytes and no more. */
async function halfRequests(address: Address, count: number, text: string): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(address.port, address.host));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) socket.on('error', () => {});
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.write(text);
  return sockets;
}

describe('an HTTP server', () => {
  it.each([
    ['send nothing', ''],
    ['send half of the headers', 'GET /metrics HTTP/1.1\r\nhost: x\r\n'],
    [
      'send half of a body',
      'POST /x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    ],
  ])('answers health while 400 connections %s', async (_, text) => {
    const { address, get } = await serving({
      mounts: [
        {
          prefix: '/x',
          handle: async (request) => ({ body: JSON.stringify(await request.json()) }),
        },
      ],
    });
    await halfRequests(address, 400, text);
    for (let i = 0; i < 20; i++) expect(await get('/health/live')).toBe(200);
  });

  it('keeps a connection whose request is being answered', async () => {
    let answer: (() => void) | undefined;
    const { address, get } = await serving({
      mounts: [
        {
          prefix: '/slow',
          handle: async () => {
            await new Promise<void>((resolve) => {
              answer = resolve;
            });
            return { body: '{}' };
          },
        },
      ],
    });
    const slow = get('/slow');
    await expect.poll(() => answer).toBeDefined();
    await halfRequests(address, 400, 'GET /');
    expect(await get('/health/live')).toBe(200);
    answer?.();
    expect(await slow).toBe(200);
  });

  it('logs one line for requests that fail without end', async () => {
    const { get, lines } = await serving({
      mounts: [
        {
          prefix: '/broken',
          handle: () => {
            throw new Error('broken');
          },
        },
      ],
    });
    for (let i = 0; i < 50; i++) expect(await get('/broken')).toBe(500);
    expect(lines.filter(({ msg }) => msg === 'An HTTP request could not be answered')).toHaveLength(1);
  });
});
