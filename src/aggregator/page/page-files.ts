import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, posix, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { HttpAnswer, HttpEncoding } from '../../runtime/http/http-contract.ts';

/** One file of the page, as it is answered. */
export type PageFile = Pick<HttpAnswer, 'contentType' | 'cacheControl' | 'etag' | 'encoded' | 'body'>;

/**
 * Reads all files below a directory, by their path in a request: `/index.html`, `/assets/app-1a2b3c4d.js`. A
 * path that is not in the map does not exist, so no request can name another file of the disk.
 *
 * They are read at once: a file that is replaced later must not be mixed with the others. The build may have
 * compressed a file beforehand (`app.js.br`, `app.js.gz`); otherwise it is compressed here, once.
 */
export async function readPageFiles(
  directory: string,
  { maxBytes = MAX_BYTES }: { readonly maxBytes?: number } = {},
): Promise<ReadonlyMap<string, PageFile>> {
  const contents = await contentsOf(directory, maxBytes);
  const files = new Map<string, PageFile>();
  for (const [path, bytes] of contents) {
    if (!isEncodedTwin(path, contents)) files.set(path, await pageFile(path, bytes, contents));
  }
  return files;
}

type Contents = ReadonlyMap<string, Buffer>;

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_FILES = 512;

async function contentsOf(directory: string, maxBytes: number): Promise<Contents> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  if (files.length > MAX_FILES) throw new Error(`more than ${MAX_FILES} files`);
  const contents = new Map<string, Buffer>();
  let totalBytes = 0;
  for (const entry of files) {
    const file = join(entry.parentPath, entry.name);
    totalBytes += (await stat(file)).size;
    if (totalBytes > maxBytes) throw new Error(`the files are larger than ${maxBytes} bytes together`);
    contents.set(file.slice(directory.length).replaceAll(sep, posix.sep), await readFile(file));
  }
  return contents;
}

const TWINS: ReadonlyMap<HttpEncoding, string> = new Map([
  ['br', '.br'],
  ['gzip', '.gz'],
]);

function isEncodedTwin(path: string, contents: Contents): boolean {
  return [...TWINS.values()].some((end) => path.endsWith(end) && contents.has(path.slice(0, -end.length)));
}

async function pageFile(path: string, bytes: Buffer, contents: Contents): Promise<PageFile> {
  const encoded = isCompressible(path) ? await encodingsOf(path, bytes, contents) : {};
  return {
    contentType: CONTENT_TYPES.get(extname(path)) ?? 'application/octet-stream',
    cacheControl: HASHED_NAME.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: createHash('sha256').update(bytes).digest('hex').slice(0, 32),
    ...(Object.keys(encoded).length > 0 && { encoded }),
    body: bytes,
  };
}

/** The name changes with the content: `app-1a2b3c4d.js`. */
const HASHED_NAME = /^\/assets\/.*-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/;

async function encodingsOf(
  path: string,
  bytes: Buffer,
  contents: Contents,
): Promise<Partial<Record<HttpEncoding, Uint8Array>>> {
  const br = contents.get(`${path}${TWINS.get('br')}`) ?? (await brotli(bytes));
  const gzipped = contents.get(`${path}${TWINS.get('gzip')}`) ?? (await compressGzip(bytes, { level: 9 }));
  return {
    ...(br.length < bytes.length && { br }),
    ...(gzipped.length < bytes.length && { gzip: gzipped }),
  };
}

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify<Buffer, { level: number }, Buffer>(gzip);

function brotli(bytes: Buffer): Promise<Buffer> {
  const { BROTLI_PARAM_SIZE_HINT, BROTLI_PARAM_QUALITY } = constants;
  // The highest quality takes several times longer for one more percent.
  return compressBrotli(bytes, {
    params: { [BROTLI_PARAM_SIZE_HINT]: bytes.length, [BROTLI_PARAM_QUALITY]: 9 },
  });
}

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json; charset=utf-8'],
  ['.webmanifest', 'application/manifest+json; charset=utf-8'],
  ['.svg', 'image/svg+xml; charset=utf-8'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.woff2', 'font/woff2'],
]);

/** Images and fonts are compressed already. */
function isCompressible(path: string): boolean {
  return (CONTENT_TYPES.get(extname(path)) ?? '').includes('charset=utf-8');
}
