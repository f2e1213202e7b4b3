import { setMaxListeners } from 'node:events';
import type { LogplexTarget } from '../../protocols/logplex/logplex-target.ts';
import type { Batch } from '../../records/batch.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { Emitter, EmitterContext } from '../emitter.ts';
import { DELIVERED, type Delivered, type Outcome, type Rejected, rejected, retry } from '../outcome.ts';
import { SentRecords } from '../sent-records.ts';
import type { LogplexConfiguration } from './configuration.ts';
import { Destination, type DestinationFailure } from './destination.ts';
import { DestinationBatch } from './destination-batch.ts';
import { LOGPLEX_EVENTS, type LogplexEvents } from './events.ts';
import type { LogplexClient } from './logplex-client.ts';
import { openClient } from './open-client.ts';
import { type Routes, singleRoute } from './routes.ts';
import { planRouting } from './routing-plan.ts';
import { ServeRoutes } from './serve-routes.ts';
import { StallBudget } from './stall-budget.ts';

/*
 * Posts records to logplex channels: to a single one, or to one for each tenant.
 *
 *                      .-- DestinationBatch -- Destination --.     bodies of up to 100 KiB,
 *     batch -- Routes -+-- DestinationBatch -- Destination --+-- LogplexClient -- up to 3 requests per destination
 *                      '-- no route: rejected ---------------'
 *
 *     Routes            finds the destination of a resource: `singleRoute`, or `ServeRoutes` for tenants
 *     RoutingPlan       the records of a batch by destination, without those that were sent before
 *     DestinationBatch  the records for one destination as bodies, and the state of each record
 *     Body, Frame       one request, and one syslog message in it; a long record has several frames
 *     Destination       sends a DestinationBatch: retries, halves rejected bodies, honours Retry-After
 *     StallBudget       decides when delivery stops waiting for a destination: `suspended`
 *     SentRecords       delivered records of a batch that is emitted again
 *     LogplexClient     one HTTP request: Exchange; its result: Answer, classified as RequestResult
 *
 * `emit` sends all records and waits for every response, so `flush` has nothing to do. Delivery is
 * at-least-once: if a response is lost, the server may have accepted the request; it is sent again with
 * identical bytes and frame id.
 *
 * One queue feeds all tenants, and an outcome applies to a whole batch. The tenants are isolated as follows:
 *
 * - *Each destination is independent within a batch.* A failure ends only the requests of that destination.
 *   The outcome is decided when all destinations have finished.
 * - *Delivered records are remembered.* After `retry` or `rejected`, delivery calls `emit` with the remaining
 *   records; delivered ones are not sent again. This memory ends with the batch, and is lost in a crash.
 * - *The delay is limited.* While a destination fails, all tenants wait and their records stay in the queue
 *   on disk. A destination that has used up its stall budget (`stall-budget.ts`) is suspended: its records
 *   are `rejected` and become dead letters, which can be replayed, and delivery to the others continues. Only
 *   here does a fault of a destination not result in `retry`: all tenants share one cursor, so waiting
 *   without limit for one of them would fill the queue and then the journals of all. A single destination is
 *   never suspended.
 * - *Records are rejected for one identity at a time*, so that each dead letter has its own reason.
 *
 * Records without a serve record or with a suspended destination are rejected before anything is sent. Poison
 * messages, which the destination rejects even alone, are rejected after everything else is sent.
 *
 * Secrets are only in targets and in the headers and bodies of requests. Reasons, log lines and names of
 * destinations contain at most scheme, host, port and the identity, which is not secret.
 */
export class LogplexEmitter implements Emitter {
  readonly #configuration: LogplexConfiguration;
  readonly #context: EmitterContext;
  readonly #events: LogplexEvents;
  readonly #routes: Routes;
  readonly #sent = new SentRecords();
  #client: LogplexClient | undefined;

  constructor(configuration: LogplexConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#events = LOGPLEX_EVENTS.open({ ...context, labels: { emitter: context.name } });
    this.#routes = this.#createRoutes();
  }

  /** Does not require a reachable destination. Throws if the CA file cannot be read. */
  async start(): Promise<void> {
    this.#client = await openClient(this.#configuration, this.#context.clock);
    if (this.#configuration.insecure) this.#events.insecure();
  }

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    if (this.#client === undefined) return retry('the emitter is not started');
    const fault = await this.#routes.refresh();
    if (fault !== undefined) return retry(fault);
    const plan = planRouting(batch, {
      routes: this.#routes,
      sent: this.#sent,
      newBatch: (destination) => this.#newBatch(destination),
    });
    if (plan.kind === 'rejected') return this.#drop(plan);
    const failures = await this.#sendAll(plan.batches, signal);
    const outcome = this.#outcomeOf(plan.batches, failures);
    if (outcome.kind === 'delivered') for (const { stream } of batch.slices) this.#sent.forget(stream);
    else for (const part of plan.batches.values()) this.#remember(part);
    return outcome;
  }

  /** Has nothing to do: `emit` waits for the response to each request. */
  async flush(): Promise<Delivered> {
    return DELIVERED;
  }

  /** Reads the certificate authorities again. */
  async reopen(): Promise<void> {
    const old = this.#client;
    if (old === undefined) return;
    try {
      this.#client = await openClient(this.#configuration, this.#context.clock);
      old.close();
    } catch (error) {
      this.#events.reopenFailed({ reason: errorMessage(error) });
    }
  }

  /** Requests in flight have already ended: the signal of their `emit` was aborted. */
  async stop(): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
  }

  #newBatch({ target: { token } }: Destination): DestinationBatch {
    const { text, host, long_text } = this.#configuration;
    return new DestinationBatch({ text, host, longText: long_text, token }, this.#events);
  }

  /** Sends to at most MAX_DESTINATIONS_AT_ONCE destinations at a time. */
  async #sendAll(
    batches: ReadonlyMap<Destination, DestinationBatch>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Destination, DestinationFailure>> {
    // Each request in flight adds a listener: a large number is no leak.
    setMaxListeners(0, signal);
    const failures = new Map<Destination, DestinationFailure>();
    const waiting = batches.entries();
    const work = async () => {
      for (const [destination, part] of waiting) {
        const failure = await destination.deliver(part, signal);
        if (failure !== undefined) failures.set(destination, failure);
      }
    };
    await Promise.all(Array.from({ length: Math.min(batches.size, MAX_DESTINATIONS_AT_ONCE) }, work));
    return failures;
  }

  /** Poison first: rejected records are not part of the next call. */
  #outcomeOf(
    batches: ReadonlyMap<Destination, DestinationBatch>,
    failures: ReadonlyMap<Destination, DestinationFailure>,
  ): Outcome {
    for (const { rejected: poison } of batches.values()) {
      const [first] = poison;
      if (first !== undefined) {
        const records = poison.map(({ record }) => record).sort((a, b) => a - b);
        return rejected(first.reason, records);
      }
    }
    for (const [destination, { isSuspended, reason }] of failures) {
      if (isSuspended) return this.#drop(rejected(reason, batches.get(destination)?.undelivered() ?? []));
    }
    return retryFor([...failures.values()]);
  }

  #remember(part: DestinationBatch): void {
    for (const { slice, firstIndex } of part.runs) {
      this.#sent.addDelivered(slice, (index) => part.isDelivered(firstIndex + index));
    }
  }

  #drop(outcome: Rejected): Rejected {
    this.#events.dropped({ records: outcome.records?.length ?? 0 });
    return outcome;
  }

  #createRoutes(): Routes {
    const { url, serve_db_dir, logplex_url } = this.#configuration;
    if (url !== undefined) return singleRoute(this.#createDestination(url, url.origin));
    return new ServeRoutes({
      directory: serve_db_dir ?? '',
      logplexUrl: logplex_url,
      createDestination: (target, name) => this.#createDestination(target, name),
      events: this.#events,
    });
  }

  #createDestination(target: LogplexTarget, name: string): Destination {
    const { patience, ordered } = this.#configuration;
    const { clock } = this.#context;
    return new Destination({
      target,
      name,
      concurrency: ordered ? 1 : CONCURRENCY,
      stallBudget: new StallBudget({ limitMs: patience, hasOthers: () => this.#routes.size > 1, clock }),
      client: () => this.#client,
      clock,
      events: this.#events,
    });
  }
}

const CONCURRENCY = 3;
/** Each destination can have several connections. */
const MAX_DESTINATIONS_AT_ONCE = 64;

/** Each destination keeps its own wait, so the retry uses the shortest one. */
function retryFor(failures: readonly DestinationFailure[]): Outcome {
  const [first] = failures;
  if (first === undefined) return DELIVERED;
  const others = failures.length - 1;
  const reason = others === 0 ? first.reason : `${first.reason} (and ${others} other destinations)`;
  const waits = failures.map(({ afterMs = 0 }) => afterMs);
  const afterMs = Math.min(...waits);
  return retry(reason, afterMs > 0 ? afterMs : undefined);
}
