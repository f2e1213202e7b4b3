import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ControlServer } from '../../src/runtime/control/control-server.ts';
import type { HttpAnswer, HttpMount } from '../../src/runtime/http/http-contract.ts';
import { HttpError } from '../../src/runtime/http/http-error.ts';
import { HttpServer } from '../../src/runtime/http/http-server.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A page with hashed assets, mounted as a web page will be, over both transports. */

const SCRIPT = Buffer.concat([
  Buffer.from('export const text = "ü";'.repeat(500)),
  Buffer.from([0, 0xff, 0xfe]),
]);
const PAGE = '<!doctype html><script type="module" src="assets/app-1a2b3c.js"></script>';
const IMMUTABLE = 'public, max-age=31536000, immutable';

function asset(contentType: string, bytes: Buffer, cacheControl: string): HttpAnswer {
  return {
    contentType,
    cacheControl,
    etag: createHash('sha256').update(bytes).digest('hex').slice(0, 16),
    encoded: { br: brotliCompressSync(bytes), gzip: gzipSync(bytes) },
    body: bytes,
  };
}

const FILES: Readonly<Record<string, HttpAnswer>> = {
  '/ui/': asset('text/html; charset=utf-8', Buffer.from(PAGE), 'no-cache'),
  '/ui/assets/app-1a2b3c.js': asset('text/javascript; charset=utf-8', SCRIPT, IMMUTABLE),
};

const MOUNT: HttpMount = {
  prefix: '/ui',
  handle: ({ path }) => {
    if (path === '/ui') return { status: 308, headers: { location: '/ui/' }, body: '' };
    const file = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
    if (file === undefined) throw new HttpError(404, 'not-found', 'There is no such file.');
    return file;
  },
};

async function overNetwork() {
  const server = new HttpServer({
    address: { host: '127.0.0.1', port: 0 },
    metrics: createMetrics({ prefix: 'aggregator_', version: '1.2.3' }),
    health: () => ({ ready: true, late: [] }),
    logger: capturedLogger().logger,
    mounts: [MOUNT],
  });
  await server.start();
  onTestFinished(() => server.stop(AbortSignal.abort()));
  return { host: '127.0.0.1', port: server.address?.port };
}

async function overSocket() {
  const directory = await temporaryDirectory();
  const { logger } = capturedLogger();
  const server = new ControlServer({ directory, handle: MOUNT.handle, logger });
  await server.start();
  onTestFinished(() => server.stop(AbortSignal.abort()));
  return { socketPath: join(directory, 'control.sock') };
}

/** Unlike fetch, this neither decodes nor adds headers. */
function send(target: object, path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      const request = httpRequest({ ...target, path, headers, method, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      request.on('error', reject);
      request.end();
    },
  );
}

describe.each([
  ['the HTTP address', overNetwork],
  ['the Unix socket', overSocket],
])('a mount at %s', (_, serve) => {
  const script = '/ui/assets/app-1a2b3c.js';

  test('serves the bytes unchanged, with type, length and caching', async () => {
    const target = await serve();
    const { status, headers, body } = await send(target, script);
    expect(status).toBe(200);
    expect(body.equals(SCRIPT)).toBe(true);
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'content-length': String(SCRIPT.length),
      'cache-control': IMMUTABLE,
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    });
    expect((await send(target, '/ui/')).headers['cache-control']).toBe('no-cache');
  });

  test.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ])('serves %s to a client that accepts it', async (encoding, decompress) => {
    const { headers, body } = await send(await serve(), script, { 'accept-encoding': encoding });
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers['content-length']).toBe(String(body.length));
    expect(body.length).toBeLessThan(SCRIPT.length);
    expect(decompress(body).equals(SCRIPT)).toBe(true);
  });

  test('answers HEAD with the headers of GET', async () => {
    const target = await serve();
    for (const accept of ['br', 'identity']) {
      const get = await send(target, script, { 'accept-encoding': accept });
      const head = await send(target, script, { 'accept-encoding': accept }, 'HEAD');
      const withoutDate = ({ date: _date, ...headers }: Record<string, unknown>) => headers;
      expect(withoutDate(head.headers)).toEqual(withoutDate(get.headers));
      expect(head.body.length).toBe(0);
    }
  });

  test('answers 304 without a body to a client that has the bytes, and the bytes to others', async () => {
    const target = await serve();
    const first = await send(target, '/ui/', { 'accept-encoding': 'br' });
    const etag = String(first.headers.etag);
    const known = { 'accept-encoding': 'br', 'if-none-match': etag };
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, body } = await send(target, '/ui/', known, method);
      expect(status).toBe(304);
      expect(body.length).toBe(0);
      expect(headers).toMatchObject({ etag, 'cache-control': 'no-cache', vary: 'accept-encoding' });
      expect(headers['content-type']).toBeUndefined();
    }
    const other = await send(target, '/ui/', { ...known, 'accept-encoding': 'gzip' });
    expect(other.status).toBe(200);
    expect(gunzipSync(other.body).toString()).toBe(PAGE);
  });

  test('answers a missing file with an error that caches do not store', async () => {
    const target = await serve();
    for (const path of ['/ui/assets/other.js', '/ui/assets/../app-1a2b3c.js', '/ui/__proto__']) {
      const { status, headers } = await send(target, path, { 'if-none-match': '*' });
      expect(status).toBe(404);
      expect(headers['cache-control']).toBe('no-store');
    }
    expect((await send(target, '/ui')).headers.location).toBe('/ui/');
  });
});

test('metrics and health stay reachable beside a mount', async () => {
  const target = await overNetwork();
  for (const path of ['/metrics', '/health/live']) expect((await send(target, path)).status).toBe(200);
});
