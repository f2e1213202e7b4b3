import type { Explain, Explanation } from '../../../records/gen/megacollector/v1/aggregator.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import type { ExplainResult } from '../activity/collector-register.ts';

export interface ExplainRequestsOptions {
  readonly send: (request: Explain) => void;
  readonly clock: Clock;
}

/** The requests to the collector of one call: how does it see a file? One at a time. */
export class ExplainRequests {
  readonly #options: ExplainRequestsOptions;
  #lastId = 0;
  #pending: Pending | undefined;
  #hasEnded = false;

  constructor(options: ExplainRequestsOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  ask(subject: string): Promise<ExplainResult> {
    if (this.#hasEnded) return Promise.resolve({ kind: 'disconnected' });
    if (this.#pending !== undefined) return Promise.resolve({ kind: 'busy' });
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(WITHIN_MS, () => this.#settle({ kind: 'timed-out' }));
      this.#pending = { id, cancel, resolve };
      this.#options.send({ id, subject });
    });
  }

  /** Ignores an answer to a request that is not waiting any more. */
  answered({ id, json, refusal }: Explanation): void {
    if (id !== this.#pending?.id) return;
    this.#settle(json === '' ? { kind: 'refused', reason: limited(refusal) } : { kind: 'explained', json });
  }

  /** The call has ended. */
  end(): void {
    this.#hasEnded = true;
    this.#settle({ kind: 'disconnected' });
  }

  #settle(result: ExplainResult): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.cancel();
    pending?.resolve(result);
  }
}

interface Pending {
  readonly id: number;
  readonly cancel: Cancel;
  readonly resolve: (result: ExplainResult) => void;
}

/** Longer than the collector's own limit, which answers with a reason. */
const WITHIN_MS = 10_000;
const MAX_REASON_CHARACTERS = 1024;

function limited(reason: string): string {
  return reason.slice(0, MAX_REASON_CHARACTERS) || 'The collector gave no reason.';
}
