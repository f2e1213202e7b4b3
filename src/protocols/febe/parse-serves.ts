import { normalize } from 'node:path/posix';
import { isFault, parseLogplexUrl, tokenFault } from '../logplex/logplex-target.ts';

/**
 * Parses the text of `serves.new` or `serves.loaded`: `{"serves": [{"i": ..., "p": ..., "t": ...}, ...]}`.
 * Unknown keys are ignored. One faulty record rejects the file: with half of a tenant list, the records of
 * the other tenants would be lost.
 */
export function parseServes(text: string, rules: ServeRules): ParsedServes {
  try {
    const records = listIn(text).map((element, index) => recordOf(element, index, rules));
    refuseSharedPaths(records);
    return { kind: 'records', records };
  } catch (error) {
    if (error instanceof Rejection) return { kind: 'rejected', reason: error.message };
    throw error;
  }
}

/**
 * One tenant of the serve database: its identity, its socket, and the credential for the delivery of its
 * records.
 */
export interface ServeRecord {
  /** `i`: the identity that the tenant's PostgreSQL sends. May be empty. */
  readonly identity: string;
  /** `p`: the Unix socket for this identity only. Absolute. */
  readonly path: string;
  /** `name`: a label for people. */
  readonly name: string | undefined;
  readonly credential: ServeCredential;
}

/** Secret: must not be logged, and must not leave the process that needs it. */
export type ServeCredential =
  /** `url`: `https://token:<token>@host/logs`. Takes precedence over `t`. */
  | { readonly kind: 'url'; readonly url: URL }
  /** `t`: the password of user `token` at LOGPLEX_URL. */
  | { readonly kind: 'token'; readonly token: string };

export interface ServeRules {
  /** LOGPLEX_URL is set: records may have a token instead of a URL. */
  readonly tokensAllowed: boolean;
  /** Require that logplex can accept a credential. For new lists only: an active one stays active. */
  readonly credentialsChecked?: boolean;
}

/** The records, or the reason why the file is rejected, in one line without credentials. */
export type ParsedServes =
  | { readonly kind: 'records'; readonly records: readonly ServeRecord[] }
  | { readonly kind: 'rejected'; readonly reason: string };

/** `sun_path` has 108 bytes, the last one a NUL; Node would cut a longer path and listen at another one. */
export const LONGEST_SOCKET_PATH_BYTES = 107;
/** It becomes an attribute of every batch. */
export const LONGEST_IDENTITY_BYTES = 1024;
const LONGEST_NAME_BYTES = 256;

class Rejection extends Error {}

type JsonObject = Readonly<Record<string, unknown>>;

function listIn(text: string): readonly unknown[] {
  const value = jsonOf(text);
  if (!isObject(value)) throw new Rejection(`must be a JSON object, got ${typeName(value)}`);
  const serves = own(value, 'serves');
  if (!Array.isArray(serves)) throw new Rejection(`serves: must be a list, got ${typeName(serves)}`);
  return serves as readonly unknown[];
}

/** V8's own message would quote the text near the error, with its tokens. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const place = / at position \d+/.exec((error as Error).message)?.[0] ?? '';
    throw new Rejection(`is not valid JSON${place}`);
  }
}

function recordOf(element: unknown, index: number, rules: ServeRules): ServeRecord {
  const at = `serves[${index}]`;
  if (!isObject(element)) throw new Rejection(`${at}: must be an object, got ${typeName(element)}`);
  const identity = requiredText(element, 'i', at);
  if (Buffer.byteLength(identity) > LONGEST_IDENTITY_BYTES)
    throw new Rejection(`${at}.i: must have at most ${LONGEST_IDENTITY_BYTES} bytes`);
  if (identity.includes('\0')) throw new Rejection(`${at}.i: must not contain a NUL`);
  const name = optionalText(element, 'name', at);
  if (Buffer.byteLength(name ?? '') > LONGEST_NAME_BYTES)
    throw new Rejection(`${at}.name: must have at most ${LONGEST_NAME_BYTES} bytes`);
  return { identity, path: socketPath(element, at), name, credential: credentialOf(element, at, rules) };
}

function socketPath(record: JsonObject, at: string): string {
  const path = requiredText(record, 'p', at);
  const length = Buffer.byteLength(path);
  if (!path.startsWith('/')) throw new Rejection(`${at}.p: must be an absolute path`);
  if (path.endsWith('/')) throw new Rejection(`${at}.p: must name a file, not a directory`);
  if (path.includes('\0')) throw new Rejection(`${at}.p: must not contain a NUL`);
  if (length > LONGEST_SOCKET_PATH_BYTES)
    throw new Rejection(`${at}.p: must have at most ${LONGEST_SOCKET_PATH_BYTES} bytes, got ${length}`);
  return path;
}

function credentialOf(record: JsonObject, at: string, rules: ServeRules): ServeCredential {
  const url = optionalText(record, 'url', at);
  const token = optionalText(record, 't', at);
  if (url !== undefined) return { kind: 'url', url: credentialUrl(url, at, rules) };
  if (token === undefined) throw new Rejection(`${at}: must have url or t`);
  if (token === '') throw new Rejection(`${at}.t: must not be empty`);
  if (!rules.tokensAllowed) throw new Rejection(`${at}.t: requires LOGPLEX_URL, which is not set`);
  refuseFault(rules.credentialsChecked ? tokenFault(token) : undefined, `${at}.t`);
  return { kind: 'token', token };
}

function refuseFault(fault: string | undefined, at: string): void {
  if (fault !== undefined) throw new Rejection(`${at}: ${fault}`);
}

function credentialUrl(text: string, at: string, { credentialsChecked }: ServeRules): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new Rejection(`${at}.url: must be a URL`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Rejection(`${at}.url: must begin with http: or https:`);
  if (url.password === '') throw new Rejection(`${at}.url: must contain a password`);
  const target = parseLogplexUrl(text);
  refuseFault(credentialsChecked && isFault(target) ? target.fault : undefined, `${at}.url`);
  return url;
}

/** With two listeners at one path, the first one would silently receive nothing. */
function refuseSharedPaths(records: readonly ServeRecord[]): void {
  const seen = new Map<string, number>();
  for (const [index, { path }] of records.entries()) {
    const first = seen.get(normalize(path));
    if (first !== undefined)
      throw new Rejection(`serves[${index}].p: is the same as that of serves[${first}]`);
    seen.set(normalize(path), index);
  }
}

function requiredText(record: JsonObject, key: string, at: string): string {
  const text = optionalText(record, key, at);
  if (text === undefined) throw new Rejection(`${at}.${key}: is missing`);
  return text;
}

function optionalText(record: JsonObject, key: string, at: string): string | undefined {
  const value = own(record, key);
  if (value === undefined || typeof value === 'string') return value;
  throw new Rejection(`${at}.${key}: must be a string, got ${typeName(value)}`);
}

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeName(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
