import { join } from 'node:path';
import { errorMessage } from '../../runtime/error-message.ts';
import type { HttpAnswer, HttpHandler } from '../../runtime/http/http-contract.ts';
import { HttpError } from '../../runtime/http/http-error.ts';
import { packageRoot } from '../../runtime/package-root.ts';
import { type PageFile, readPageFiles } from './page-files.ts';

export interface PageOptions {
  /** AGGREGATOR_UI; false: each path answers with the reason. */
  readonly isServed: boolean;
  /** Default: the built page in this package. */
  readonly directory?: string;
}

/**
 * Serves the files of the page to browsers. They contain no data, so they need no token: the page signs in,
 * and reads everything from the API. They are read at the first request, and kept.
 */
export function pageHandler({ isServed, directory = builtPage() }: PageOptions): HttpHandler {
  let reading: Promise<ReadonlyMap<string, PageFile>> | undefined;
  const files = () => {
    reading ??= readPageFiles(directory).catch((error: unknown) => {
      // The page may be built while this process runs.
      reading = undefined;
      throw unreadable(error);
    });
    return reading;
  };
  return async ({ path, method }) => {
    if (!isServed) throw path === '/' ? SWITCHED_OFF : UNKNOWN_PATH;
    if (method !== 'GET' && method !== 'HEAD') throw METHOD;
    const all = await files();
    const file = all.get(path === '/' ? '/index.html' : path);
    if (file === undefined) throw path === '/' ? unreadable(NOT_BUILT) : UNKNOWN_PATH;
    return { ...file, headers: SECURITY_HEADERS };
  };
}

export function builtPage(): string {
  return join(packageRoot(), 'dist', 'page');
}

/** Scripts and styles are files of this server; nothing is loaded from elsewhere, and no page may frame this one. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const SECURITY_HEADERS: NonNullable<HttpAnswer['headers']> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

const headers = SECURITY_HEADERS;

const UNKNOWN_PATH = new HttpError(404, 'not-found', 'There is nothing at this path.', { headers });

const SWITCHED_OFF = new HttpError(
  404,
  'page-off',
  'The page is switched off: AGGREGATOR_UI is 0. Set it to 1, or remove it, to serve the page.',
  { headers },
);

const METHOD = new HttpError(405, 'method-not-allowed', 'This path accepts only GET, HEAD.', {
  headers: { ...headers, allow: 'GET, HEAD' },
});

/** Without the path: a client without a token must not learn where the package is. */
function unreadable(error: unknown): HttpError {
  const message = `Cannot serve the page: ${reasonOf(error)}. Build the package with "npm run build".`;
  return new HttpError(404, 'no-page', message, { headers });
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return code === 'ENOENT' ? NOT_BUILT : (code ?? errorMessage(error));
}

const NOT_BUILT = 'this package was built without dist/page';
