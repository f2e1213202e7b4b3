import type { Logger } from 'pino';
import type { Counter } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';
import { EventLimiter } from '../../transport/event-limiter.ts';
import type { EmitterContext } from '../emitter.ts';
import { emitterCounter } from '../metrics.ts';

const LOG_INTERVAL_MS = 60_000;

type Notice =
  | { readonly kind: 'cut'; readonly cutBytes: number }
  | { readonly kind: 'tooLate'; readonly address: string; readonly reason: string };

/**
 * Events of the GELF emitter: counts each, and logs those that an operator should know at most once a minute.
 */
export class GelfEvents {
  readonly #logger: Logger;
  readonly #messages: Counter.Internal;
  readonly #bytes: Counter.Internal;
  readonly #cut: Counter.Internal;
  readonly #failures: Counter.Internal;
  readonly #tooLate: Counter.Internal;
  readonly #notices: EventLimiter<Notice>;

  constructor(context: Pick<EmitterContext, 'logger' | 'metrics' | 'name'> & { readonly clock: Clock }) {
    this.#logger = context.logger;
    const counter = (name: string, help: string) =>
      emitterCounter(context.metrics, context.name, { name: `aggregator_emitter_gelf_${name}_total`, help });
    this.#messages = counter('messages', 'Messages passed to the operating system.');
    this.#bytes = counter('bytes', 'Bytes passed to the operating system, in wire format.');
    this.#cut = counter('cut_messages', 'Messages truncated because they were too long.');
    this.#failures = counter('failures', 'Lost connections, failed attempts and unsent datagrams.');
    this.#tooLate = counter(
      'late_failures',
      'Failures reported after their messages had counted as delivered.',
    );
    this.#notices = new EventLimiter(context.clock, LOG_INTERVAL_MS, (notice) => log(context.logger, notice));
  }

  sent(messages: number, bytes: number): void {
    this.#messages.inc(messages);
    this.#bytes.inc(bytes);
  }

  cut(cutBytes: number): void {
    this.#cut.inc();
    this.#notices.emit({ kind: 'cut', cutBytes });
  }

  /** Not logged here: delivery logs the reason of each retry. */
  failed(): void {
    this.#failures.inc();
  }

  tooLate(address: string, reason: string): void {
    this.#tooLate.inc();
    this.#notices.emit({ kind: 'tooLate', address, reason });
  }

  reopenFailed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#logger.error({ reason }, 'Cannot reload the certificates; the previous ones stay in use');
  }

  stop(): void {
    this.#notices.flush();
  }
}

function log(logger: Logger, notice: Notice & { readonly count: number }): void {
  const { kind, ...fields } = notice;
  if (kind === 'cut') logger.warn(fields, 'Truncated a message that was too long');
  else logger.warn(fields, 'Messages that counted as delivered may be lost');
}
