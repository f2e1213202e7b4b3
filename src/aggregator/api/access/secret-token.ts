import { createHash, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '../../../runtime/http/http-contract.ts';

/** The configured token. Only its digest is kept here. */
export class SecretToken {
  readonly #digest: Buffer;

  constructor(token: string) {
    if (token === '') throw new Error('The token must not be empty');
    this.#digest = digest(token);
  }

  /** Digests have one length: the comparison does not reveal how much of a token was right. */
  matches(given: string): boolean {
    return timingSafeEqual(digest(given), this.#digest);
  }

  /** Whether a request has this token in its Authorization header. */
  isIn(request: Pick<HttpRequest, 'headers'>): boolean {
    const given = bearerToken(request);
    return given !== undefined && this.matches(given);
  }
}

/** The token in an Authorization header; undefined: there is none. */
export function bearerToken({ headers }: Pick<HttpRequest, 'headers'>): string | undefined {
  return /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1];
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
