import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../../src/runtime/http/http-contract.ts';
import { httpRepresentation } from '../../../src/runtime/http/http-representation.ts';

const BODY = Buffer.from('plain');
const ENCODED = { br: Buffer.from('br'), gzip: Buffer.from('gzip') };
const PAGE: HttpAnswer = { contentType: 'text/html', etag: 'abc', encoded: ENCODED, body: BODY };

const represented = (headers: Record<string, string>, answer = PAGE, method = 'GET') =>
  httpRepresentation(answer, { method, headers });

describe('an encoding', () => {
  test.each([
    ['br, gzip', 'br'],
    ['gzip, br', 'br'],
    ['gzip', 'gzip'],
    ['GZIP , deflate', 'gzip'],
    ['*', 'br'],
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['identity;q=0, gzip', 'gzip'],
    ['identity, gzip;q=0.5', undefined],
    ['identity', undefined],
    ['', undefined],
    ['deflate', undefined],
    ['br;q=0, gzip;q=0', undefined],
    ['br;q=2, gzip;q=x', undefined],
    ['brotli', undefined],
    [',;q=1,,', undefined],
  ])('for "%s" is %s', (accepted, encoding) => {
    const { headers, body } = represented({ 'accept-encoding': accepted });
    expect(headers['content-encoding']).toBe(encoding);
    expect(String(body)).toBe(encoding ?? 'plain');
    expect(headers.vary).toBe('accept-encoding');
    expect(headers.etag).toBe(encoding === undefined ? '"abc"' : `"abc-${encoding}"`);
  });

  test('is chosen only from those that the answer has', () => {
    const answer = { ...PAGE, encoded: { gzip: ENCODED.gzip } };
    expect(represented({ 'accept-encoding': 'br' }, answer).body).toBe(BODY);
    expect(represented({ 'accept-encoding': 'br, gzip;q=0.1' }, answer).body).toBe(ENCODED.gzip);
  });

  test('of an answer without encodings is never chosen, and the answer does not vary', () => {
    const { headers } = represented({ 'accept-encoding': 'br' }, { body: 'x' });
    expect(headers).toEqual({ 'cache-control': 'no-store' });
  });
});

describe('a known body', () => {
  test.each([
    ['"abc"', 304],
    ['W/"abc"', 304],
    ['"x", "abc"', 304],
    ['*', 304],
    ['"abc-br"', 200],
    ['abc', 200],
    ['"ab"', 200],
    ['', 200],
  ])('by If-None-Match %s is answered %i', (known, status) => {
    const found = represented({ 'if-none-match': known });
    expect(found.status).toBe(status);
    expect(found.body === undefined).toBe(status === 304);
    expect(found.headers.etag).toBe('"abc"');
  });

  test('is compared with the encoding that the client would receive', () => {
    const known = { 'if-none-match': '"abc-gzip"' };
    expect(represented({ ...known, 'accept-encoding': 'gzip' }).status).toBe(304);
    expect(represented({ ...known, 'accept-encoding': 'br' }).status).toBe(200);
  });

  test('is sent again for a POST, for an error, and without an ETag', () => {
    const known = { 'if-none-match': '*' };
    expect(represented(known, PAGE, 'POST').status).toBe(200);
    expect(represented(known, { ...PAGE, status: 404 }).status).toBe(404);
    expect(represented(known, { body: 'x' }).status).toBe(200);
  });
});

test('caches do not store an answer without cacheControl', () => {
  expect(represented({}).headers['cache-control']).toBe('no-store');
  const cacheControl = 'public, max-age=31536000, immutable';
  expect(represented({}, { ...PAGE, cacheControl }).headers['cache-control']).toBe(cacheControl);
  expect(represented({ 'if-none-match': '*' }, { ...PAGE, cacheControl }).headers['cache-control']).toBe(
    cacheControl,
  );
});
