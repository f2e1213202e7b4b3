import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { guarded } from '../../../src/aggregator/api/guard.ts';
import type { HttpRequest } from '../../../src/runtime/http/http-contract.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { servedApi } from './served-api.ts';

/** Unlike fetch, this lets a test say any header. */
function askWith(port: number, headers: OutgoingHttpHeaders, path = '/v1/metrics') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const request = httpRequest({ port, host: '127.0.0.1', path, headers, agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      });
      request.on('error', reject).end();
    },
  );
}

describe('without a token', () => {
  test.each(['localhost', 'localhost:8001', 'LOCALHOST:1', '127.0.0.1:8001', '127.1.2.3', '[::1]:8001'])(
    'the host %s is answered',
    async (host) => {
      const { address } = await servedApi();
      expect((await askWith(address.port, { host })).status).toBe(200);
    },
  );

  test.each<[string, OutgoingHttpHeaders]>([
    ['the name of a web page, bound anew to 127.0.0.1', { host: 'evil.example:8001' }],
    ['a name that only begins like ours', { host: 'localhost.evil.example' }],
    ['an address as a name', { host: '127.0.0.1.evil.example' }],
    ['another address', { host: '192.168.1.5:8001' }],
    ['every address', { host: '0.0.0.0:8001' }],
    ['a host that is none', { host: 'a b' }],
    ['a web page of another site', { host: 'localhost', origin: 'https://evil.example' }],
    ['a web page without a site', { host: 'localhost', origin: 'null' }],
    ['a page of this machine', { host: 'localhost', origin: 'http://localhost:3000' }],
    ['an image in a page of another site', { host: 'localhost', 'sec-fetch-site': 'cross-site' }],
    ['a proxy', { host: 'localhost', 'x-forwarded-for': '203.0.113.9' }],
    ['a proxy that says so the new way', { host: 'localhost', forwarded: 'for=203.0.113.9' }],
  ])('%s is rejected with a remedy', async (_, headers) => {
    const { address, store } = await servedApi();
    for (const path of ['/v1/metrics', '/v1/logs/tail', '/v1/openapi.json', '/v1/nothing', '/v1']) {
      const answer = await askWith(address.port, headers, path);
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.body)).toMatchObject({
        error: { code: 'forbidden', message: expect.stringContaining('AGGREGATOR_HTTP_TOKEN') },
      });
    }
    expect(store.asked).toEqual([]);
  });

  test('the configured host name is accepted', async () => {
    const { address } = await servedApi({ listenAddress: { host: 'Logs.internal', port: 8001 } });
    expect((await askWith(address.port, { host: 'logs.internal:8001' })).status).toBe(200);
    expect((await askWith(address.port, { host: 'other.internal:8001' })).status).toBe(403);
  });

  test.each([
    'GET /v1/metrics HTTP/1.0\r\n\r\n',
    'GET /v1/metrics HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n',
  ])('a request without a host is rejected', async (text) => {
    const { address } = await servedApi();
    const socket = connect(address.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(text);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1.1 403 /);
  });

  test('metrics and health need no token', async () => {
    const { address } = await servedApi();
    const headers = { host: 'evil.example', origin: 'https://evil.example' };
    expect((await askWith(address.port, headers, '/metrics')).status).toBe(200);
    expect((await askWith(address.port, headers, '/health/ready')).status).toBe(200);
  });

  test('no answer allows requests of browsers', async () => {
    const { ask } = await servedApi();
    const answer = await ask('/v1/metrics', { method: 'OPTIONS', headers: { 'x-a': 'b' } });
    expect(answer.status).toBe(405);
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a browser without a token', () => {
  const PAGE = { host: 'localhost:8001', origin: 'http://localhost:8001', 'sec-fetch-site': 'same-origin' };

  test.each<[string, string, OutgoingHttpHeaders]>([
    ['a read of the page', 'GET', { host: 'localhost:8001', 'sec-fetch-site': 'same-origin' }],
    ['a read of the page with an origin', 'GET', PAGE],
    ['an address that a person typed', 'GET', { host: 'localhost:8001', 'sec-fetch-site': 'none' }],
    ['a write of the page', 'POST', PAGE],
    [
      'a write of the page in a browser without fetch metadata',
      'POST',
      { ...PAGE, 'sec-fetch-site': undefined },
    ],
    ['a write of a program', 'POST', { host: 'localhost:8001' }],
    ['an address of IPv6', 'POST', { ...PAGE, host: '[::1]:8001', origin: 'http://[::1]:8001' }],
    ['names in capitals', 'POST', { ...PAGE, host: 'LOCALHOST:8001' }],
  ])('%s is answered', async (_, method, headers) => {
    expect((await request(method, headers)).body).toBe('done');
  });

  test.each<[string, string, OutgoingHttpHeaders]>([
    [
      'a page of another port',
      'GET',
      { ...PAGE, origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
    ],
    [
      'a page of another port in a browser without fetch metadata',
      'GET',
      { host: PAGE.host, origin: 'http://localhost:3000' },
    ],
    ['a page of another name of this machine', 'GET', { ...PAGE, origin: 'http://127.0.0.1:8001' }],
    ['a page with another scheme', 'GET', { ...PAGE, origin: 'https://localhost:8001' }],
    ['a page of another site', 'GET', { host: PAGE.host, 'sec-fetch-site': 'cross-site' }],
    ['a page of a neighbouring site', 'GET', { host: PAGE.host, 'sec-fetch-site': 'same-site' }],
    ['a page that claims the origin from another site', 'GET', { ...PAGE, 'sec-fetch-site': 'cross-site' }],
    ['a page without an origin', 'GET', { ...PAGE, origin: 'null' }],
    ['a write without an origin', 'POST', { host: PAGE.host, 'sec-fetch-site': 'same-origin' }],
    ['a write of a typed address', 'DELETE', { host: PAGE.host, 'sec-fetch-site': 'none' }],
    [
      'a page that uses DNS rebinding',
      'GET',
      { ...PAGE, host: 'evil.example', origin: 'http://evil.example' },
    ],
    [
      'an origin that only begins like this one',
      'POST',
      { ...PAGE, origin: 'http://localhost:8001.evil.example' },
    ],
  ])('%s is rejected', async (_, method, headers) => {
    await expect(request(method, headers)).rejects.toMatchObject({ status: 403, code: 'forbidden' });
  });

  async function request(method: string, headers: OutgoingHttpHeaders) {
    const handler = guarded(() => ({ body: 'done' }), {
      access: undefined,
      listenAddress: { host: '127.0.0.1', port: 8001 },
      clock: new FakeClock(),
      events: { refused: vi.fn() },
    });
    return await handler({
      method,
      path: '/v1/metrics',
      query: '',
      headers: headers as HttpRequest['headers'],
      remoteAddress: '127.0.0.1',
      signal: new AbortController().signal,
      json: () => Promise.reject(new Error('no body')),
    });
  }
});

describe('the peer', () => {
  const handler = guarded(() => ({ body: 'done' }), {
    access: undefined,
    listenAddress: { host: '0.0.0.0', port: 8001 },
    clock: new FakeClock(),
    events: { refused: vi.fn() },
  });
  const from = (remoteAddress: string | undefined): HttpRequest => ({
    method: 'GET',
    path: '/v1/logs',
    query: '',
    headers: { host: 'localhost' },
    remoteAddress,
    signal: new AbortController().signal,
    json: () => Promise.reject(new Error('no body')),
  });

  test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])(
    '%s is this machine',
    async (peer) => expect(await handler(from(peer))).toEqual({ body: 'done' }),
  );

  test.each(['192.168.1.5', '::ffff:10.0.0.1', 'fe80::1', '2001:db8::1', '0.0.0.0', '::', '', undefined])(
    '%s is not',
    async (peer) => {
      await expect(handler(from(peer))).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    },
  );
});

describe('with a token', () => {
  const TOKEN = 'correct-horse-battery-staple';

  test('a request with the token is answered, regardless of its other headers', async () => {
    const { address } = await servedApi({ token: TOKEN });
    const headers = { host: 'logs.example.com', 'x-forwarded-for': '203.0.113.9' };
    for (const authorization of [`Bearer ${TOKEN}`, `bearer  ${TOKEN} `]) {
      expect((await askWith(address.port, { ...headers, authorization })).status).toBe(200);
    }
  });

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${'x'.repeat(8000)}`,
  ])('%j is rejected, also from this machine', async (authorization) => {
    const clock = new FakeClock();
    const { address, store, lines, metrics } = await servedApi({ token: TOKEN, clock });
    let answered = false;
    const asked = askWith(address.port, {
      host: 'localhost',
      ...(authorization !== undefined && { authorization }),
    }).finally(() => {
      answered = true;
    });
    // Who guesses has to wait for each guess.
    await vi.waitFor(() => expect(clock.waiting).toBe(1));
    expect(answered).toBe(false);
    await clock.advance(250);
    const answer = await asked;
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="mega-collector"/);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'unauthorized' } });
    expect(store.asked).toEqual([]);
    expect(JSON.stringify(lines) + answer.body).not.toContain(
      authorization?.split(' ')[1] || 'correct-horse',
    );
    expect(await metrics.metrics()).toContain('aggregator_api_refused_requests_total{reason="token"} 1');
  });

  test('an unknown path is rejected like a known one', async () => {
    const { ask } = await servedApi({ token: TOKEN });
    expect((await ask('/v1/nothing')).status).toBe(401);
    expect((await ask('/v1')).status).toBe(401);
  });

  test('an empty token is rejected', async () => {
    await expect(servedApi({ token: '' })).rejects.toThrow('The token must not be empty');
  });
});
