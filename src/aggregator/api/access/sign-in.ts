import type { Clock } from '../../../runtime/clock.ts';
import type { HttpRequest } from '../../../runtime/http/http-contract.ts';
import { HttpError } from '../../../runtime/http/http-error.ts';
import type { ApiEvents } from '../events.ts';
import type { SecretToken } from './secret-token.ts';
import { clearCookie, cookieOf, sessionCookieName, setCookie } from './session-cookie.ts';
import type { Sessions } from './sessions.ts';

export interface SignInOptions {
  readonly token: SecretToken;
  readonly sessions: Sessions;
  /** The port of the listen address. */
  readonly port: number;
  readonly clock: Clock;
  readonly events: Pick<ApiEvents, 'refused'>;
}

export const FAILED_TOKEN_DELAY_MS = 250;

/**
 * The access of browsers: the token once, and a cookie from then on. `EventSource` cannot send an
 * Authorization header, and a page should not keep the token.
 *
 * A wrong token is answered after a delay. Attempts above the limits are rejected without a look at their
 * token, so more connections make no more guesses.
 */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #cookie: string;
  /** Attempts that wait for their answer, by address. */
  readonly #attempts = new Map<string, number>();
  #attemptCount = 0;

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#cookie = sessionCookieName(options.port);
  }

  isSignedIn(request: HttpRequest): boolean {
    const id = cookieOf(request, this.#cookie);
    return id !== undefined && this.#options.sessions.isOpen(id);
  }

  /** Whether a request has the access of the token: by a session, or by the token itself. */
  hasAccess(request: HttpRequest): boolean {
    return this.#options.token.isIn(request) || this.isSignedIn(request);
  }

  /** Returns the `Set-Cookie` header of a new session. Rejects with HttpError for a wrong token. */
  async begin(request: HttpRequest, token: string): Promise<string> {
    const { sessions } = this.#options;
    await this.#check(request, token);
    const earlier = cookieOf(request, this.#cookie);
    if (earlier !== undefined) sessions.end(earlier);
    return setCookie(this.#cookie, sessions.begin(), request);
  }

  /** Returns the `Set-Cookie` header that removes the cookie. */
  end(request: HttpRequest): string {
    const id = cookieOf(request, this.#cookie);
    if (id !== undefined) this.#options.sessions.end(id);
    return clearCookie(this.#cookie, request);
  }

  async #check({ remoteAddress: peer = '' }: HttpRequest, given: string): Promise<void> {
    const { token, clock, events } = this.#options;
    const waiting = this.#attempts.get(peer) ?? 0;
    if (waiting >= MAX_OF_ADDRESS || this.#attemptCount >= MAX_ATTEMPTS) {
      events.refused({ reason: 'attempts', peer });
      throw new HttpError(429, 'too-many-attempts', TOO_MANY, { headers: { 'retry-after': '1' } });
    }
    if (token.matches(given)) return;
    events.refused({ reason: 'token', peer });
    this.#attempts.set(peer, waiting + 1);
    this.#attemptCount++;
    // The delay does not end with the connection: a client that disconnects gets no faster guesses.
    await clock.sleep(FAILED_TOKEN_DELAY_MS);
    this.#attemptCount--;
    this.#forget(peer);
    throw new HttpError(401, 'unauthorized', 'The token is wrong.');
  }

  #forget(peer: string): void {
    const waiting = (this.#attempts.get(peer) ?? 1) - 1;
    if (waiting === 0) this.#attempts.delete(peer);
    else this.#attempts.set(peer, waiting);
  }
}

const MAX_OF_ADDRESS = 4;
const MAX_ATTEMPTS = 32;
const TOO_MANY = 'Too many attempts to sign in at the same time. Try again in a second.';
