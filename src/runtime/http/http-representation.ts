import type { IncomingHttpHeaders } from 'node:http';
import type { HttpAnswer, HttpEncoding, HttpRequest } from './http-contract.ts';

/** The form of an answer that one client receives. */
export interface HttpRepresentation {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** undefined: the client has this body already (304). */
  readonly body: HttpAnswer['body'] | undefined;
}

/** Smallest first: the order for a client without a preference. */
const ENCODINGS: readonly HttpEncoding[] = ['br', 'gzip'];

/**
 * Chooses between an answer's encodings by `Accept-Encoding`, and between the body and 304 by
 * `If-None-Match` (RFC 9110, 12.5.3 and 13.1.2). Each encoding has an ETag of its own: the bytes differ.
 */
export function httpRepresentation(
  { status = 200, headers = {}, etag, encoded, cacheControl = 'no-store', body }: HttpAnswer,
  request: Pick<HttpRequest, 'method' | 'headers'>,
): HttpRepresentation {
  const encoding = encoded === undefined ? undefined : acceptedEncoding(encoded, request.headers);
  const tag = etag === undefined ? undefined : `"${etag}${encoding === undefined ? '' : `-${encoding}`}"`;
  const common = {
    'cache-control': cacheControl,
    ...(encoded !== undefined && { vary: 'accept-encoding' }),
    ...(tag !== undefined && { etag: tag }),
  };
  if (tag !== undefined && status === 200 && isKnown(tag, request)) {
    return { status: 304, headers: { ...common, ...headers }, body: undefined };
  }
  return {
    status,
    headers: { ...common, ...(encoding !== undefined && { 'content-encoding': encoding }), ...headers },
    body: (encoding === undefined ? undefined : encoded?.[encoding]) ?? body,
  };
}

/** undefined: the client receives the body as it is. */
function acceptedEncoding(
  encoded: NonNullable<HttpAnswer['encoded']>,
  headers: IncomingHttpHeaders,
): HttpEncoding | undefined {
  const weights = encodingWeights(headers['accept-encoding']);
  const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0;
  const offered = ENCODINGS.filter((name) => encoded[name] !== undefined && weightOf(name) > 0);
  const best = Math.max(...offered.map(weightOf));
  // A client may prefer the plain bytes; without a word about them, any encoding is better.
  if (best < (weights.get('identity') ?? 0)) return undefined;
  return offered.find((name) => weightOf(name) === best);
}

/** `br;q=0.5, gzip` by name. An invalid weight excludes its encoding: the plain bytes are always correct. */
function encodingWeights(header: string | string[] | undefined): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const part of String(header ?? '').split(',')) {
    const [name = '', ...parameters] = part.toLowerCase().split(';');
    if (name.trim() !== '') weights.set(name.trim(), weightIn(parameters));
  }
  return weights;
}

function weightIn(parameters: readonly string[]): number {
  const weight = parameters.map((each) => each.trim()).find((each) => each.startsWith('q='));
  if (weight === undefined) return 1;
  return /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight.slice(2)) : 0;
}

function isKnown(tag: string, { method, headers }: Pick<HttpRequest, 'method' | 'headers'>): boolean {
  const known = headers['if-none-match'];
  if (known === undefined || (method !== 'GET' && method !== 'HEAD')) return false;
  if (known.trim() === '*') return true;
  return known.split(',').some((each) => each.trim().replace(/^W\//, '') === tag);
}
