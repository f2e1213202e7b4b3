import { connect } from 'node:net';
import { Counter } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { formatAddress } from '../../../src/runtime/configuration/address.ts';
import type { Health } from '../../../src/runtime/http/health.ts';
import type { HttpHandler, HttpMount } from '../../../src/runtime/http/http-contract.ts';
import { HttpServer, type HttpServerOptions } from '../../../src/runtime/http/http-server.ts';
import { createMetrics } from '../../../src/runtime/metrics.ts';
import { capturedLogger } from '../../support/captured-logger.ts';

const WELL: Health = { ready: true, late: [] };
const mount = (prefix: string, handle: HttpHandler): HttpMount => ({ prefix, handle });

async function serving(health: Health | (() => Health) = WELL, options: Partial<HttpServerOptions> = {}) {
  const metrics = createMetrics({ prefix: 'aggregator_', version: '1.2.3' });
  const server = new HttpServer({
    address: { host: '127.0.0.1', port: 0 },
    metrics,
    health: typeof health === 'function' ? health : () => health,
    logger: capturedLogger().logger,
    ...options,
  });
  await server.start();
  onTestFinished(() => server.stop(AbortSignal.abort()));
  const { address } = server;
  if (address === undefined) throw new Error('not listening');
  const get = async (path: string) => {
    const response = await fetch(`http://${formatAddress(address)}${path}`);
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { server, address, metrics, get };
}

test('/metrics returns the registered metrics, the process, and the build', async () => {
  const { metrics, get } = await serving();
  new Counter({ name: 'aggregator_things_total', help: 'Things.', registers: [metrics] }).inc(3);
  const { status, headers, body } = await get('/metrics');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(body).toContain('aggregator_things_total 3');
  expect(body).toContain('aggregator_process_resident_memory_bytes ');
  expect(body).toContain(`aggregator_build_info{version="1.2.3",node_version="${process.version}"} 1`);
});

describe('health', () => {
  test('live is 200', async () => {
    expect((await (await serving({ ready: false, late: [] })).get('/health/live')).status).toBe(200);
  });

  test.each<[Health, number, unknown]>([
    [WELL, 200, { ready: true }],
    [
      { ready: false, reason: 'the queue is full', late: [] },
      503,
      { ready: false, reason: 'the queue is full' },
    ],
    [{ ready: false, late: [] }, 503, { ready: false, reason: 'not ready' }],
    [{ ready: true, late: [{ what: 'emitter file', ageSeconds: 90 }] }, 200, { ready: true }],
  ])('ready: %j is %i', async (health, status, body) => {
    const answer = await (await serving(health)).get('/health/ready');
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual(body);
  });

  test.each<[Health['late'], number]>([
    [[], 200],
    [[{ what: 'emitter file', ageSeconds: 90 }], 503],
  ])('progress with %j late is %i', async (late, status) => {
    const answer = await (await serving({ ready: true, late })).get('/health/progress');
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({ late });
  });

  test('is evaluated at each request', async () => {
    let ready = false;
    const { get } = await serving(() => ({ ready, late: [] }));
    expect((await get('/health/ready')).status).toBe(503);
    ready = true;
    expect((await get('/health/ready')).status).toBe(200);
  });
});

test('paths with a prefix can be mounted', async () => {
  const { get } = await serving(WELL, { mounts: [mount('/more', () => ({ body: '{"more":true}' }))] });
  expect((await get('/more')).body).toBe('{"more":true}');
  expect((await get('/other')).status).toBe(404);
});

test('rejects the start when the address is in use', async () => {
  const { address } = await serving();
  await expect(serving(WELL, { address })).rejects.toThrow('EADDRINUSE');
});

describe('a client', () => {
  /** What comes back until the server closes the connection. */
  const talk = async (port: number, text: string) => {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write(text);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  };

  test('that sends half a request is cut off', async () => {
    const { address } = await serving(WELL, { clientTimeoutMs: 50 });
    const answer = await talk(address.port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n');
    expect(answer).toMatch(/^$|^HTTP\/1.1 408 /);
  });

  test('that sends nothing is cut off', async () => {
    const { address } = await serving(WELL, { clientTimeoutMs: 50 });
    expect(await talk(address.port, '')).toMatch(/^$|^HTTP\/1.1 408 /);
  });

  test('that does not read is cut off', async () => {
    const huge = 'x'.repeat(64 * 1024 * 1024);
    const closed = vi.fn();
    const { address } = await serving(WELL, {
      clientTimeoutMs: 50,
      mounts: [mount('/huge', () => ({ body: huge }))],
    });
    const socket = connect(address.port, '127.0.0.1').once('close', closed);
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.pause();
    socket.write('GET /huge HTTP/1.1\r\nHost: x\r\n\r\n');
    // Who does not read learns of it by writing.
    await vi.waitFor(() => {
      socket.write('x');
      expect(closed).toHaveBeenCalledOnce();
    }, 20_000);
  });

  test('that sends garbage gets an error', async () => {
    const { address, get } = await serving();
    expect(await talk(address.port, '\u0000\u0001\u0002garbage\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect((await get('/health/live')).status).toBe(200);
  });

  test('that sends endless headers gets an error', async () => {
    const { address } = await serving();
    expect(await talk(address.port, `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
  });

  test('that keeps its connection does not hold up the stop', async () => {
    const { server, address } = await serving();
    const socket = connect(address.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    await expect(server.stop(AbortSignal.timeout(20_000))).resolves.toBeUndefined();
  });

  test('that does not end its request is cut off at the deadline', async () => {
    const { server, address } = await serving();
    const socket = connect(address.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write('POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123');
    await expect(server.stop(AbortSignal.timeout(50))).resolves.toBeUndefined();
  });
});

test('stop is safe unstarted and twice', async () => {
  const { server } = await serving();
  const unstarted = new HttpServer({
    address: { host: '127.0.0.1', port: 0 },
    metrics: createMetrics({ prefix: 'x_', version: '1' }),
    health: () => WELL,
    logger: capturedLogger().logger,
  });
  await unstarted.stop(AbortSignal.abort());
  await expect(server.stop(AbortSignal.timeout(20_000))).resolves.toBeUndefined();
  await expect(server.stop(AbortSignal.timeout(20_000))).resolves.toBeUndefined();
});
