import type { Logger } from 'pino';
import type { Counter, Gauge } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';
import type { EmitterContext } from '../emitter.ts';
import { emitterCounter, emitterGauge } from '../metrics.ts';

/** What became of a request. `cancelled`: no answer, so that nobody knows. `rejected`: answered, and not with success. */
export type RequestFate = 'successful' | 'rejected' | 'cancelled';

/**
 * What happens in the logplex emitter: each is counted and, where a person should know, logged here.
 *
 * Messages and requests are counted as logplex clients have always done, when their fate is known:
 * total = successful + rejected + cancelled + dropped. What is sent again is counted again.
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
  readonly #setAside: Gauge.Internal<'emitter'>;
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
    this.#bytes = counter('bytes', 'Bytes of bodies that were taken.');
    this.#retried = counter('retried_requests', 'Requests that had been sent before, to the byte.');
    this.#truncated = counter('truncated_messages', 'Messages that were too long and have been cut short.');
    this.#split = counter('split_records', 'Records that were too long for one message and went as several.');
    this.#inFlight = gauge('in_flight_requests', 'Requests that wait for their answer.');
    this.#setAside = gauge('set_aside_destinations', 'Destinations whose records become dead letters.');
    this.#lastSuccess = gauge('last_success_timestamp_seconds', 'When a request was last taken.');
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

  /** Given up before there was a request for them: each is a dead letter now. */
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

  setAside(destination: string, reason: string): void {
    this.#setAside.inc();
    this.#logger.error(
      { destination, reason },
      'A destination held up the others for too long; its records become dead letters until it works',
    );
  }

  worksAgain(destination: string): void {
    this.#setAside.dec();
    this.#logger.info(
      { destination },
      'A destination that was set aside works again; replay its dead letters',
    );
  }

  /** A destination that was set aside is no longer in the list. */
  forgotten(): void {
    this.#setAside.dec();
  }

  servesRead(records: number, unusable: readonly string[]): void {
    this.#logger.info({ records }, 'The serve database was read');
    if (unusable.length > 0)
      this.#logger.error({ unusable: unusable.slice(0, 10) }, 'Records of the serve database cannot be used');
  }

  servesUnusable(reason: string): void {
    this.#logger.error({ reason }, 'The serve database cannot be read; what was read before stays in force');
  }

  insecure(): void {
    this.#logger.warn(
      'Certificates are not verified: whoever is in between can read the logs and their tokens',
    );
  }

  reopenFailed(reason: string): void {
    this.#logger.error({ reason }, 'The authorities cannot be read again; the old ones stay in use');
  }
}

const PREFIX = 'aggregator_emitter_logplex_';

type Fates = Readonly<Record<RequestFate | 'total' | 'dropped', Counter.Internal>>;

function fates(what: string, counter: (suffix: string, help: string) => Counter.Internal): Fates {
  return {
    total: counter(what, `Whose fate is known: the sum of the other four ${what}.`),
    successful: counter(`successful_${what}`, `The ${what} that were answered with success.`),
    rejected: counter(`rejected_${what}`, `The ${what} that were answered, and not with success.`),
    cancelled: counter(`cancelled_${what}`, `The ${what} without an answer: they may have arrived, or not.`),
    dropped: counter(`dropped_${what}`, `The ${what} that had nowhere to go and were not tried.`),
  };
}
