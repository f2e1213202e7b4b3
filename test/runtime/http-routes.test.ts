import { connect } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { formatAddress } from '../../src/runtime/configuration/address.ts';
import type { HttpMount, HttpRequest, HttpRoute, HttpSink } from '../../src/runtime/http/http-contract.ts';
import { HttpError } from '../../src/runtime/http/http-error.ts';
import { routed } from '../../src/runtime/http/http-router.ts';
import { HttpServer, type HttpServerOptions } from '../../src/runtime/http/http-server.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { capturedLogger } from '../support/captured-logger.ts';

type ServingOptions = Partial<HttpServerOptions> & { readonly routes?: readonly HttpRoute[] };

async function serving({ routes = [], mounts = [], ...options }: ServingOptions) {
  const { logger, lines } = capturedLogger();
  const prefixes = new Set(routes.map(({ path }) => path.split('/', 2).join('/')));
  const server = new HttpServer({
    address: { host: '127.0.0.1', port: 0 },
    metrics: createMetrics({ prefix: 'aggregator_', version: '1.2.3' }),
    health: () => ({ ready: true, late: [] }),
    logger,
    mounts: [...mounts, ...[...prefixes].map((prefix) => ({ prefix, handle: routed(routes) }))],
    ...options,
  });
  await server.start();
  onTestFinished(() => server.stop(AbortSignal.abort()));
  const { address } = server;
  if (address === undefined) throw new Error('not listening');
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://${formatAddress(address)}${path}`, init);
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { server, port: address.port, lines, ask };
}

/** What comes back until the server closes the connection. */
async function talk(port: number, ...texts: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  for (const text of texts) socket.write(text);
  await closed;
  return answer;
}

const echo: HttpRoute['handle'] = async (request, parameters) => ({
  body: JSON.stringify({
    method: request.method,
    path: request.path,
    query: request.query,
    parameters: Object.fromEntries(parameters),
  }),
});

const ROUTES: readonly HttpRoute[] = [
  { method: 'GET', path: '/things', handle: echo },
  {
    method: 'POST',
    path: '/things',
    handle: async (request) => ({ status: 201, body: JSON.stringify(await request.json()) }),
  },
  { method: 'GET', path: '/things/{id}', handle: echo },
  { method: 'DELETE', path: '/things/{id}', handle: () => ({ status: 204, body: '' }) },
  { method: 'GET', path: '/things/{id}/parts/{part}', handle: echo },
];

describe('routes', () => {
  test.each<[string, Record<string, string>]>([
    ['/things/a', { id: 'a' }],
    ['/things/a%2Fb%20c', { id: 'a/b c' }],
    ['/things/__proto__', { ['__proto__']: '__proto__' }],
    ['/things/%E6%97%A5', { id: '日' }],
    ['/things/a/parts/b', { id: 'a', part: 'b' }],
  ])('%s', async (path, parameters) => {
    const { ask } = await serving({ routes: ROUTES });
    const { status, body } = await ask(`${path}?x=1&y=%20`);
    expect(status).toBe(200);
    const found = JSON.parse(body) as { parameters: object };
    expect(found).toMatchObject({ method: 'GET', path, query: 'x=1&y=%20' });
    expect(Object.values(found.parameters)).toEqual(Object.values(parameters));
  });

  test.each([
    '/',
    '/thing',
    '/things/',
    '/things//',
    '/things/a/',
    '/things/a/parts',
    '/things/a/parts/',
    '//things',
  ])('%s is not there', async (path) => {
    const { ask } = await serving({ routes: ROUTES });
    const { status, body } = await ask(path);
    expect(status).toBe(404);
    expect(JSON.parse(body)).toEqual({
      error: { code: 'not-found', message: 'There is nothing at this path.' },
    });
  });

  test.each([
    '/things/../things',
    '/things/..',
    '/../../etc/passwd',
    'http://elsewhere.example/things',
    '*',
    '/metrics/../things',
  ])('the target %s leads nowhere else', async (target) => {
    const { port } = await serving({ routes: ROUTES });
    const answer = await talk(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    // `..` is a name like any other.
    expect(answer).toMatch(target === '/things/..' ? /"id":"\.\."/ : /^HTTP\/1.1 40[04] /);
  });

  test('rejects a parameter that is not UTF-8', async () => {
    const { ask } = await serving({ routes: ROUTES });
    for (const path of ['/things/%ff', '/things/%', '/things/%zz']) {
      expect((await ask(path)).status).toBe(400);
    }
  });

  test.each([
    ['PUT', '/things', 'GET, HEAD, POST'],
    ['POST', '/things/a', 'GET, HEAD, DELETE'],
    ['OPTIONS', '/things/a', 'GET, HEAD, DELETE'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['DELETE', '/health/live', 'GET, HEAD'],
  ])('%s %s is not allowed', async (method, path, allow) => {
    const { ask } = await serving({ routes: ROUTES });
    const answer = await ask(path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
  });

  test('HEAD is GET without the body', async () => {
    const { ask } = await serving({ routes: ROUTES });
    const get = await ask('/things/a');
    const head = await ask('/things/a', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.body).toBe('');
    expect(Number(head.headers.get('content-length'))).toBe(get.body.length + 1);
    expect((await ask('/things/a/b/c', { method: 'HEAD' })).status).toBe(404);
  });

  test('no content has no content', async () => {
    const { ask } = await serving({ routes: ROUTES });
    const answer = await ask('/things/a', { method: 'DELETE' });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('content-type')).toBeNull();
    expect(answer.body).toBe('');
  });
});

describe('a mount', () => {
  test('handles every path under its prefix, and no other path', async () => {
    const paths: string[] = [];
    const mount: HttpMount = {
      prefix: '/v1',
      handle: ({ path }) => {
        paths.push(path);
        return { body: '{}' };
      },
    };
    const { ask } = await serving({ mounts: [mount] });
    for (const path of ['/v1', '/v1/', '/v1/a/b', '/v1//']) expect((await ask(path)).status).toBe(200);
    for (const path of ['/v10', '/v', '/V1/a', '/%761/a']) expect((await ask(path)).status).toBe(404);
    expect((await ask('/health/live')).status).toBe(200);
    expect(paths).toEqual(['/v1', '/v1/', '/v1/a/b', '/v1//']);
  });
});

describe('errors', () => {
  const failing = (error: Error) => ({
    routes: [{ method: 'GET', path: '/x', handle: () => Promise.reject(error) }] as const,
  });

  test('are answered with the status of the HttpError', async () => {
    const error = new HttpError(503, 'busy', 'Too much to do.', {
      headers: { 'retry-after': '3' },
      problems: [{ path: 'limit', message: 'expected less' }],
    });
    const { ask, lines } = await serving(failing(error));
    const { status, headers, body } = await ask('/x');
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('3');
    expect(JSON.parse(body)).toEqual({
      error: {
        code: 'busy',
        message: 'Too much to do.',
        problems: [{ path: 'limit', message: 'expected less' }],
      },
    });
    expect(lines.filter(({ level }) => level > 30)).toEqual([]);
  });

  test('that are unexpected are logged without the query, and not shown to the client', async () => {
    const { ask, lines } = await serving(failing(new Error('the password is 123')));
    const { status, body } = await ask('/x?token=secret');
    expect(status).toBe(500);
    expect(body).not.toContain('password');
    expect(lines).toContainEqual(expect.objectContaining({ level: 50, path: '/x' }));
    expect(JSON.stringify(lines)).not.toContain('secret');
  });
});

describe('a body', () => {
  const post = async (body: string | Buffer, headers: Record<string, string> = {}) => {
    const { ask } = await serving({ routes: ROUTES });
    const { status, body: text } = await ask('/things', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status, body: JSON.parse(text) as unknown };
  };

  test('is JSON', async () => {
    const value = { a: [1, 2, { b: 'ä日\u0000"[{' }], c: null };
    expect(await post(JSON.stringify(value))).toEqual({ status: 201, body: value });
  });

  test.each([
    'application/json',
    'Application/JSON; charset=UTF-8',
    'application/json;charset="utf-8"',
    'application/json; profile=x',
  ])('of type %s is read', async (type) => {
    expect((await post('{}', { 'content-type': type })).status).toBe(201);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'application/jsonx',
    '',
  ])('of type "%s" is not', async (type) => {
    expect((await post('{}', { 'content-type': type })).status).toBe(415);
  });

  test('that is compressed is not', async () => {
    expect((await post('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['half of one', '{"a": 1'],
    ['more than one', '{} {}'],
    ['no JSON', "{'a': 1}"],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['nested too deeply', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['nested without end', '['.repeat(60_000)],
    ['a text without end', `"${'\\"'.repeat(30_000)}`],
    ['an endless number', `${'9'.repeat(50_000)}e`],
  ])('that is %s is rejected', async (_, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: { code: 'invalid-request' } });
  });

  test('as deep as may be is read', async () => {
    expect((await post(`${'['.repeat(32)}${']'.repeat(32)}`)).status).toBe(201);
    expect((await post(JSON.stringify(`"${'['.repeat(1000)}\\`))).status).toBe(201);
  });

  test('of 64 KiB is read, and one byte more is not', async () => {
    const text = JSON.stringify('x'.repeat(64 * 1024 - 2));
    expect((await post(text)).status).toBe(201);
    expect(await post(`${text} `)).toEqual({
      status: 413,
      body: { error: { code: 'too-large', message: 'The body is larger than 65536 bytes.' } },
    });
    expect((await post('x'.repeat(1024 * 1024))).status).toBe(413);
  });

  const HEAD = 'POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

  test('with a huge content-length is rejected at once', async () => {
    const { port } = await serving({ routes: ROUTES });
    expect(await talk(port, `${HEAD}Content-Length: 99999999999\r\n\r\n{`)).toMatch(/^HTTP\/1.1 413 /);
  });

  test('without a content-length is rejected when it is too large', async () => {
    const { port } = await serving({ routes: ROUTES });
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const chunks = Array.from({ length: 20 }, () => chunk);
    expect(await talk(port, `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, ...chunks)).toMatch(
      /^HTTP\/1.1 413 /,
    );
  });

  test('that comes too slowly is cut off', async () => {
    const { port, lines } = await serving({ routes: ROUTES, clientTimeoutMs: 100 });
    expect(await talk(port, `${HEAD}Content-Length: 10\r\n\r\n{`)).toMatch(/^$|^HTTP\/1.1 408 /);
    expect(lines.filter(({ level }) => level > 30)).toEqual([]);
  });

  test('that ends early affects no other request', async () => {
    const { port, lines, ask } = await serving({ routes: ROUTES });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await new Promise<void>((resolve) => {
      socket.write(`${HEAD}Content-Length: 10\r\n\r\n{`, () => resolve());
    });
    socket.resetAndDestroy();
    expect((await ask('/things')).status).toBe(200);
    expect(lines.filter(({ level }) => level > 30)).toEqual([]);
  });

  test('of a client that has disconnected does not delay the stop', async () => {
    const outcome = vi.fn();
    const { port } = await serving({
      routes: [
        {
          method: 'POST',
          path: '/things',
          handle: async (request) => {
            await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
            await request.json().catch(outcome);
            return { body: '' };
          },
        },
      ],
    });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await new Promise<void>((resolve) => {
      socket.write(`${HEAD}Content-Length: 10\r\n\r\n{`, () => resolve());
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.resetAndDestroy();
    await vi.waitFor(() => expect(outcome).toHaveBeenCalledWith(expect.any(HttpError)));
  });

  test('that is not read is not parsed as the next request', async () => {
    const { port } = await serving({ routes: ROUTES });
    const inner = 'GET /things/smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const outer = `GET /things HTTP/1.1\r\nHost: x\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`;
    const after = 'GET /things/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect(await talk(port, outer + after)).not.toContain('smuggled');
  });
});

describe('a stream', () => {
  const streaming = (stream: (sink: HttpSink, signal: AbortSignal) => Promise<void>) => ({
    routes: [
      { method: 'GET', path: '/s', handle: () => ({ contentType: 'text/plain', body: stream }) },
    ] as const,
  });
  const untilAborted = (signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

  test('is sent as it is written', async () => {
    const { ask } = await serving(
      streaming(async (sink) => {
        sink.write('one ');
        await sink.drained();
        sink.write('two');
      }),
    );
    expect((await ask('/s')).body).toBe('one two');
    expect((await ask('/s', { method: 'HEAD' })).body).toBe('');
  });

  test('learns that its client is gone', async () => {
    const gone = vi.fn();
    const { port } = await serving(
      streaming(async (sink, signal) => {
        sink.write('x');
        await untilAborted(signal);
        gone();
        sink.write('into the void');
        await sink.drained();
      }),
    );
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /s HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    await vi.waitFor(() => expect(gone).toHaveBeenCalledOnce());
  });

  test('ends when the server stops, whole', async () => {
    const { server, ask } = await serving(
      streaming(async (sink, signal) => {
        sink.write('first ');
        await untilAborted(signal);
        sink.write('last');
      }),
    );
    const asked = ask('/s');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.stop(AbortSignal.timeout(20_000));
    expect((await asked).body).toBe('first last');
  });

  test('that fails is cut off, and logged', async () => {
    const { ask, lines } = await serving(
      streaming(async (sink) => {
        sink.write('half');
        await sink.drained();
        throw new Error('broken');
      }),
    );
    await expect(ask('/s')).rejects.toThrow();
    await vi.waitFor(() => expect(lines.filter(({ level }) => level === 50)).toHaveLength(1));
  });
});

describe('a stop', () => {
  test('lets an answer that is being made be given', async () => {
    let answerNow = () => {};
    const made = new Promise<void>((resolve) => {
      answerNow = resolve;
    });
    const asking = vi.fn();
    const { server, ask } = await serving({
      routes: [
        {
          method: 'GET',
          path: '/slow',
          handle: async () => {
            asking();
            await made;
            return { body: '"done"' };
          },
        },
      ],
    });
    const asked = ask('/slow');
    await vi.waitFor(() => expect(asking).toHaveBeenCalled());
    const stopped = server.stop(AbortSignal.timeout(20_000));
    answerNow();
    expect(await asked).toMatchObject({ status: 200, body: '"done"' });
    expect((await asked).headers.get('connection')).toBe('close');
    await stopped;
  });

  test('does not wait longer than it may', async () => {
    const signals: AbortSignal[] = [];
    const answer = (request: HttpRequest) => {
      signals.push(request.signal);
      return new Promise<never>(() => {});
    };
    const { server, ask } = await serving({ routes: [{ method: 'GET', path: '/never', handle: answer }] });
    const asked = ask('/never');
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    await server.stop(AbortSignal.timeout(50));
    await expect(asked).rejects.toThrow();
    await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true));
  });
});

test('many connections do not keep others out for long', async () => {
  const { port, ask } = await serving({ routes: ROUTES, clientTimeoutMs: 300 });
  const sockets = Array.from({ length: 400 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  for (const socket of sockets) socket.write('GET /things HTTP/1.1\r\n');
  await vi.waitFor(async () => expect((await ask('/things')).status).toBe(200), 20_000);
});
