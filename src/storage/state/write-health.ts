import { Timer } from '../../runtime/async/timer.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/error-message.ts';

/**
 * Whether durable writes succeed, for the readiness of a process. A process that is not ready may get no data
 * to write, and would not notice that its disk works again: so after a failed write, it tries a small one
 * every two seconds.
 */
export class WriteHealth {
  readonly #probe: () => Promise<void>;
  readonly #failures = new Map<Kind, string>();
  readonly #timer: Timer;
  #closed = false;

  /** `probe` writes durably in all relevant places. */
  constructor(clock: Clock, probe: () => Promise<void>) {
    this.#probe = probe;
    this.#timer = new Timer(clock, () => void this.#tryAgain());
  }

  /** Why the last write failed; undefined: it succeeded. */
  get failure(): string | undefined {
    const [reason] = this.#failures.values();
    return reason;
  }

  failed(kind: Kind, error: unknown): void {
    this.#failures.set(kind, errorMessage(error));
    if (!this.#closed) this.#timer.setIfUnset(TRY_AGAIN_MS);
  }

  succeeded(kind: Kind): void {
    this.#failures.delete(kind);
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }

  async #tryAgain(): Promise<void> {
    const [kind] = this.#failures.keys();
    if (kind === undefined) return;
    try {
      await this.#probe();
      this.#failures.clear();
    } catch (error) {
      this.failed(kind, error);
    }
  }
}

const TRY_AGAIN_MS = 2000;

/** The kinds of writes: each fails and recovers independently. */
type Kind = 'records' | 'state';
