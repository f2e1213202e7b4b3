import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type PageOptions, pageHandler } from '../../../src/aggregator/page/page-handler.ts';
import { HttpServer } from '../../../src/runtime/http/http-server.ts';
import { createMetrics } from '../../../src/runtime/metrics.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PAGE = '<!doctype html><script type="module" src="/assets/app-1a2b3c4d.js"></script>';
const SCRIPT = 'console.log("ü");\n'.repeat(500);
const ASSET = '/assets/app-1a2b3c4d.js';
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const FILES: Readonly<Record<string, string | Buffer>> = {
  'index.html': PAGE,
  'assets/app-1a2b3c4d.js': SCRIPT,
  'assets/style-Zz_9-xyW.css': 'body { color: red }\n'.repeat(50),
  'assets/beforehand-00000000.js': SCRIPT,
  'assets/beforehand-00000000.js.br': brotliCompressSync(SCRIPT),
  'favicon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'icon.png': Buffer.from([0x89, 0x50, 0x4e, 0x47]),
};

/** A package with a page, and a secret beside it. */
async function builtPage(files = FILES): Promise<string> {
  const root = await temporaryDirectory();
  const directory = join(root, 'page');
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content);
  }
  await writeFile(join(root, 'secret.txt'), 'secret');
  return directory;
}

async function serve(options: Partial<PageOptions> = {}) {
  const directory = options.directory ?? (await builtPage());
  const server = new HttpServer({
    address: { host: '127.0.0.1', port: 0 },
    metrics: createMetrics({ prefix: 'aggregator_', version: '1.2.3' }),
    health: () => ({ ready: true, late: [] }),
    logger: capturedLogger().logger,
    mounts: [{ prefix: '/v1', handle: () => ({ body: '"the API"' }) }],
    fallback: pageHandler({ isServed: true, ...options, directory }),
  });
  await server.start();
  onTestFinished(() => server.stop(AbortSignal.abort()));
  const port = server.address?.port ?? 0;
  /** Unlike fetch, this changes no path, and adds no header. */
  const get = (path: string, headers: OutgoingHttpHeaders = {}, method = 'GET') =>
    new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, headers, method, agent: false };
      const request = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        const { statusCode: status = 0, headers: answered } = response;
        response.on('end', () => resolve({ status, headers: answered, body: Buffer.concat(chunks) }));
      });
      request.on('error', reject).end();
    });
  return { get, port, directory };
}

describe('a built page', () => {
  test('is at the root, and a browser asks each time whether it has changed', async () => {
    const { get } = await serve();
    const { status, headers, body } = await get('/');
    expect(status).toBe(200);
    expect(body.toString()).toBe(PAGE);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    });
    const again = await get('/', { 'if-none-match': String(headers.etag) });
    expect(again.status).toBe(304);
    expect(again.headers['content-security-policy']).toBe(POLICY);
    expect((await get('/index.html?x=1')).body.toString()).toBe(PAGE);
  });

  test.each([
    ['/', 'text/html; charset=utf-8'],
    [ASSET, 'text/javascript; charset=utf-8'],
    ['/assets/style-Zz_9-xyW.css', 'text/css; charset=utf-8'],
    ['/favicon.svg', 'image/svg+xml; charset=utf-8'],
    ['/icon.png', 'image/png'],
  ])('%s has its type and the headers that protect it', async (path, type) => {
    const { get } = await serve();
    const { status, headers } = await get(path);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': type,
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('caches keep files with a hash in their name for a year, and others not', async () => {
    const { get } = await serve();
    for (const path of [ASSET, '/assets/style-Zz_9-xyW.css']) {
      const { headers } = await get(path);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    }
    expect((await get('/favicon.svg')).headers['cache-control']).toBe('no-cache');
  });

  test.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ])('%s: text is compressed for a client that accepts it', async (encoding, decompress) => {
    const { get } = await serve();
    for (const path of [ASSET, '/assets/beforehand-00000000.js']) {
      const { headers, body } = await get(path, { 'accept-encoding': encoding });
      expect(headers).toMatchObject({ 'content-encoding': encoding, vary: 'accept-encoding' });
      expect(body.length).toBeLessThan(SCRIPT.length / 10);
      expect(decompress(body).toString()).toBe(SCRIPT);
    }
    const image = await get('/icon.png', { 'accept-encoding': encoding });
    expect(image.headers['content-encoding']).toBeUndefined();
  });

  test('a file that was compressed by the build is used, and is no file of its own', async () => {
    const twin = brotliCompressSync('compressed by the build');
    const { get } = await serve({
      directory: await builtPage({ ...FILES, 'assets/beforehand-00000000.js.br': twin }),
    });
    const { body } = await get('/assets/beforehand-00000000.js', { 'accept-encoding': 'br' });
    expect(body.equals(twin)).toBe(true);
    expect((await get('/assets/beforehand-00000000.js.br')).status).toBe(404);
  });

  test('HEAD is answered without the body, and a write is rejected', async () => {
    const { get } = await serve();
    const head = await get(ASSET, {}, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(SCRIPT)));
    expect(head.body.length).toBe(0);
    const post = await get('/', {}, 'POST');
    expect(post.status).toBe(405);
    expect(post.headers.allow).toBe('GET, HEAD');
  });

  test('stays the same while its files are replaced', async () => {
    const { get, directory } = await serve();
    await get('/');
    await rm(directory, { recursive: true });
    expect((await get(ASSET)).body.toString()).toBe(SCRIPT);
  });

  test('metrics, health and the API stay at their paths', async () => {
    const { get } = await serve();
    expect((await get('/metrics')).body.toString()).toContain('# TYPE');
    expect((await get('/health/live')).body.toString()).toBe('{"live":true}');
    expect((await get('/v1/logs')).body.toString()).toBe('"the API"');
    expect((await get('/metrics', {}, 'POST')).status).toBe(405);
  });
});

describe('a path that is no file of the page', () => {
  test.each([
    '/secret.txt',
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/..\\secret.txt',
    '//secret.txt',
    '/assets/',
    '/assets',
    '/index.html/',
    '/__proto__',
    '/constructor',
    '/link.txt',
    '/etc/passwd',
  ])('%s is not found', async (path) => {
    const { get, directory } = await serve();
    await symlink(join(directory, '../secret.txt'), join(directory, 'link.txt'));
    const { status, headers, body } = await get(path);
    expect(status).toBe(404);
    expect(headers['cache-control']).toBe('no-store');
    expect(body.toString()).not.toContain('secret"');
    expect(JSON.parse(body.toString())).toMatchObject({ error: { code: 'not-found' } });
  });

  test('a request line with a whole address or without a slash gets no file', async () => {
    const { port } = await serve();
    for (const target of ['http://other.example/index.html', '*', 'index.html']) {
      const socket = connect(port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      let answer = '';
      for await (const chunk of socket) answer += String(chunk);
      expect(answer).toMatch(/^HTTP\/1.1 40[04] /);
    }
  });
});

test('a page that is switched off is answered with a hint', async () => {
  const { get } = await serve({ isServed: false });
  const { status, body } = await get('/');
  expect(status).toBe(404);
  expect(body.toString()).toContain('AGGREGATOR_UI');
  expect((await get(ASSET)).status).toBe(404);
  expect((await get('/health/live')).status).toBe(200);
});

test('a package without a page answers so, without its path, and serves a page that is built later', async () => {
  const directory = join(await temporaryDirectory(), 'page');
  const { get } = await serve({ directory });
  const { status, body } = await get('/');
  expect(status).toBe(404);
  expect(body.toString()).toContain('this package was built without dist/page');
  expect(body.toString()).not.toContain(directory);
  await mkdir(directory);
  await writeFile(join(directory, 'index.html'), PAGE);
  expect((await get('/')).body.toString()).toBe(PAGE);
});
