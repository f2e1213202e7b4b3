import type { Logger } from 'pino';
import type { Counter, Gauge } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';
import type { EmitterContext } from '../emitter.ts';
import { emitterCounter, emitterGauge } from '../metrics.ts';

/**
 * The result of a request. `cancelled`: no response, so the result is unknown. `rejected`: an unsuccessful
 * response.
 */
export type RequestFate = 'successful' | 'rejected' | 'cancelled';

/**
 * Events of the logplex emitter: counts each and logs those that an operator should know.
 *
 * Counts messages and requests as other logplex clients do, when their result is known:
 * total = successful + rejected + cancelled + dropped. A retry counts again.
 */
export class LogplexEvents {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #messages: Fates;
  readonly #requests: Fates;
  readonly #bytes: Counter.Internal;
  readonly #retried: Counter.Internal;
  readonly #truncated: Counter.Internal;
  readonly #split: Counter.Internal;
  readonly #inFlight: Gauge.Internal<'emitter'>;
  readonly #suspended: Gauge.Internal<'emitter'>;
  readonly #lastSuccess: Gauge.Internal<'emitter'>;

  constructor({
    logger,
    metrics,
    name,
    clock,
  }: Pick<EmitterContext, 'logger' | 'metrics' | 'name' | 'clock'>) {
    this.#logger = logger;
    this.#clock = clock;
    const counter = (suffix: string, help: string) =>
      emitterCounter(metrics, name, { name: `${PREFIX}${suffix}_total`, help });
    const gauge = (suffix: string, help: string) =>
      emitterGauge(metrics, name, { name: `${PREFIX}${suffix}`, help });
    this.#messages = fates('messages', counter);
    this.#requests = fates('requests', counter);
    this.#bytes = counter('bytes', 'Bytes of accepted request bodies.');
    this.#retried = counter('retried_requests', 'Requests sent again with identical bytes.');
    this.#truncated = counter('truncated_messages', 'Messages truncated because they were too long.');
    this.#split = counter('split_records', 'Records split into several messages because they were too long.');
    this.#inFlight = gauge('in_flight_requests', 'Requests waiting for a response.');
    this.#suspended = gauge(
      'set_aside_destinations',
      'Suspended destinations, whose records become dead letters.',
    );
    this.#lastSuccess = gauge('last_success_timestamp_seconds', 'Unix time of the last successful request.');
  }

  requestBegins(): void {
    this.#inFlight.inc();
  }

  requestEnds(fate: RequestFate, messages: number, bytes: number): void {
    this.#inFlight.dec();
    this.#requests.total.inc();
    this.#requests[fate].inc();
    this.#messages.total.inc(messages);
    this.#messages[fate].inc(messages);
    if (fate !== 'successful') return;
    this.#bytes.inc(bytes);
    this.#lastSuccess.set(Number(this.#clock.nowUnixNano() / 1_000_000n) / 1000);
  }

  /** Records rejected before a request was sent: each becomes a dead letter. */
  dropped(records: number): void {
    this.#requests.total.inc();
    this.#requests.dropped.inc();
    this.#messages.total.inc(records);
    this.#messages.dropped.inc(records);
  }

  retried(): void {
    this.#retried.inc();
  }

  truncated(): void {
    this.#truncated.inc();
  }

  split(): void {
    this.#split.inc();
  }

  suspended(destination: string, reason: string): void {
    this.#suspended.inc();
    this.#logger.error(
      { destination, reason },
      'Suspended a destination that delayed the others for too long; its records become dead letters until it recovers',
    );
  }

  recovered(destination: string): void {
    this.#suspended.dec();
    this.#logger.info({ destination }, 'A suspended destination recovered; replay its dead letters');
  }

  /** A suspended destination is no longer in the serve database. */
  removed(): void {
    this.#suspended.dec();
  }

  servesRead(records: number, unusable: readonly string[]): void {
    this.#logger.info({ records }, 'Loaded the serve database');
    if (unusable.length > 0)
      this.#logger.error({ unusable: unusable.slice(0, 10) }, 'The serve database contains unusable records');
  }

  servesUnusable(reason: string): void {
    this.#logger.error({ reason }, 'Cannot load the serve database; the previous version stays in use');
  }

  insecure(): void {
    this.#logger.warn(
      'Certificate verification is disabled: the logs and tokens can be intercepted on the network',
    );
  }

  reopenFailed(reason: string): void {
    this.#logger.error(
      { reason },
      'Cannot reload the certificate authorities; the previous ones stay in use',
    );
  }
}

const PREFIX = 'aggregator_emitter_logplex_';

type Fates = Readonly<Record<RequestFate | 'total' | 'dropped', Counter.Internal>>;

function fates(what: string, counter: (suffix: string, help: string) => Counter.Internal): Fates {
  return {
    total: counter(what, `All ${what} whose result is known: the sum of the other four counters.`),
    successful: counter(`successful_${what}`, `Accepted ${what}.`),
    rejected: counter(`rejected_${what}`, `The ${what} with an unsuccessful response.`),
    cancelled: counter(
      `cancelled_${what}`,
      `The ${what} without a response: they may or may not have been delivered.`,
    ),
    dropped: counter(`dropped_${what}`, `The ${what} not sent because they had no destination.`),
  };
}
