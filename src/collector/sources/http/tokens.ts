import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { resolve } from 'node:path';
import type { Clock } from '../../../runtime/clock.ts';
import { readBeginning } from '../../../runtime/files/read-beginning.ts';
import { ContentWatcher } from '../../../runtime/watching/content-watcher.ts';
import type { HttpSourceEvents } from './events.ts';

const MAX_FILE_BYTES = 64 * 1024;
const MAX_TOKENS = 1000;

export interface TokenOptions {
  readonly path: string;
  readonly listener: string;
  readonly events: HttpSourceEvents;
  readonly clock: Clock;
}

/** The tokens of the clients of a listener, from a file that may change. */
export class Tokens {
  readonly #watcher: ContentWatcher;
  #digests: readonly Buffer[];

  /** Rejects with the reason when the file cannot be used. */
  static async load(options: TokenOptions): Promise<Tokens> {
    const tokens = new Tokens(options, await readTokens(options.path));
    await tokens.#watcher.start();
    return tokens;
  }

  private constructor({ path, listener, events, clock }: TokenOptions, digests: readonly Buffer[]) {
    this.#digests = digests;
    const onChange = () => {
      readTokens(path).then(
        (changed) => {
          this.#digests = changed;
          events.tokensReloaded({ listener, tokens: changed.length });
        },
        (error: Error) => events.tokensRejected({ listener, reason: error.message }),
      );
    };
    // The watcher still polls after a failure.
    this.#watcher = new ContentWatcher({ paths: [resolve(path)], clock, onChange, onFailure: () => {} });
  }

  /** Takes the same time for each token, and for each wrong one. */
  includes(token: string): boolean {
    const digest = digestOf(token);
    let isKnown = false;
    for (const each of this.#digests) isKnown = timingSafeEqual(each, digest) || isKnown;
    return isKnown;
  }

  stop(): Promise<void> {
    return this.#watcher.stop();
  }
}

async function readTokens(path: string): Promise<readonly Buffer[]> {
  const bytes = await readBeginning(path, MAX_FILE_BYTES + 1);
  if (bytes === 'not-a-file') throw new Error(`${path} is not a file`);
  if (bytes.length > MAX_FILE_BYTES) throw new Error(`${path} must be at most 64 KiB`);
  const tokens = bytes
    .toString()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (tokens.length === 0) throw new Error(`${path} has no token; write one on each line`);
  if (tokens.length > MAX_TOKENS) throw new Error(`${path} must have at most ${MAX_TOKENS} tokens`);
  return tokens.map(digestOf);
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * The tokens that a request may mean: of `Bearer` and `Splunk` the text itself, of `Basic` the password, of `ApiKey`
 * of Elasticsearch the text and the key in it. undefined: it has none.
 */
export function tokensOf({ headers }: IncomingMessage): readonly string[] | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return undefined;
  const [, scheme = '', text = ''] = /^(\S+)\s+(\S.*)$/.exec(authorization.trim()) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
    case 'splunk':
      return [text];
    case 'basic':
      return [afterColon(text)];
    case 'apikey':
      return [text, afterColon(text)];
    default:
      return [];
  }
}

function afterColon(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}
