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

/** What happens in the GELF emitter: each is counted and, where a person should know, logged here, at most once a minute. */
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
    this.#messages = counter('messages', 'Messages given to the system.');
    this.#bytes = counter('bytes', 'Bytes of messages given to the system, as they go on the wire.');
    this.#cut = counter('cut_messages', 'Messages that were too long and have been cut.');
    this.#failures = counter('failures', 'Connections lost, attempts that failed, datagrams not sent.');
    this.#tooLate = counter(
      'late_failures',
      'Failures heard of when what they concern had been taken for delivered.',
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

  /** Not logged: delivery does, with the reason, at each retry. */
  failed(): void {
    this.#failures.inc();
  }

  tooLate(address: string, reason: string): void {
    this.#tooLate.inc();
    this.#notices.emit({ kind: 'tooLate', address, reason });
  }

  reopenFailed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#logger.error({ reason }, 'The certificates cannot be read again; the old ones stay in use');
  }

  stop(): void {
    this.#notices.flush();
  }
}

function log(logger: Logger, notice: Notice & { readonly count: number }): void {
  const { kind, ...fields } = notice;
  if (kind === 'cut') logger.warn(fields, 'A message was too long for its receiver and was cut');
  else logger.warn(fields, 'Messages that had been taken for delivered may be lost');
}
