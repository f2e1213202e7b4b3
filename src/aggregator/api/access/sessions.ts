import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../../runtime/clock.ts';

/**
 * The browsers that have signed in. A session is a random id, which the browser has in a cookie; the memory of
 * this process has only its digest. It ends after 12 hours without a request, when the person signs out, and
 * with the process: so a new token, which needs a restart, ends all sessions.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #maxCount: number;
  /** When each one ends, by the digest of its id; the least recently used first. */
  readonly #endsAtMs = new Map<string, number>();

  constructor(clock: Clock, maxCount: number = MAX_SESSIONS) {
    this.#clock = clock;
    this.#maxCount = maxCount;
  }

  get count(): number {
    return this.#endsAtMs.size;
  }

  /** Returns the id of a new session. With too many sessions, the least recently used one ends. */
  begin(): string {
    const id = randomBytes(ID_BYTES).toString('base64url');
    this.#removeEnded();
    for (const oldest of this.#endsAtMs.keys()) {
      if (this.#endsAtMs.size < this.#maxCount) break;
      this.#endsAtMs.delete(oldest);
    }
    this.#use(keyOf(id));
    return id;
  }

  /** Whether this session exists. It lasts 12 hours from now. */
  isOpen(id: string): boolean {
    this.#removeEnded();
    const key = keyOf(id);
    if (!this.#endsAtMs.has(key)) return false;
    this.#use(key);
    return true;
  }

  end(id: string): void {
    this.#endsAtMs.delete(keyOf(id));
  }

  #use(key: string): void {
    this.#endsAtMs.delete(key);
    this.#endsAtMs.set(key, this.#clock.monotonicMs() + LIFETIME_MS);
  }

  /** The order of use is the order of their ends. */
  #removeEnded(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, endsAtMs] of this.#endsAtMs) {
      if (endsAtMs > nowMs) break;
      this.#endsAtMs.delete(key);
    }
  }
}

const ID_BYTES = 32;
const MAX_SESSIONS = 1000;
const LIFETIME_MS = 12 * 60 * 60_000;

function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
