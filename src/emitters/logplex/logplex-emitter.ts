import { setMaxListeners } from 'node:events';
import type { LogplexTarget } from '../../protocols/logplex/logplex-target.ts';
import type { Batch } from '../../records/batch.ts';
import type { Emitter, EmitterContext } from '../emitter.ts';
import { DELIVERED, type Delivered, type Outcome, type Rejected, rejected, retry } from '../outcome.ts';
import type { LogplexConfiguration } from './configuration.ts';
import { Destination, type DestinationFailure } from './destination.ts';
import { LogplexEvents } from './events.ts';
import type { LogplexClient } from './logplex-client.ts';
import { openClient } from './open-client.ts';
import { Patience } from './patience.ts';
import { planOf } from './plan.ts';
import { type Routes, singleRoute } from './routes.ts';
import { SentRecords } from './sent-records.ts';
import { ServeRoutes } from './serve-routes.ts';
import { Share } from './share.ts';

/*
 * Posts records to logplex channels: to one, or to each tenant's own.
 *
 *                      .-- share -- Destination --.      bodies of up to 100 KiB,
 *     batch -- Routes -+-- share -- Destination --+-- LogplexClient -- up to 3 requests per destination
 *                      '-- no route: rejected ----'
 *
 * `emit` sends everything and waits for every answer, so `flush` has nothing left to do. At-least-once: a request whose
 * answer is lost may have been taken, and goes again, to the byte and with the same frame id.
 *
 * One queue feeds all tenants, and an outcome is for a whole batch. What keeps one tenant from costing another anything:
 *
 * - *Each destination is on its own within a batch.* The failure of one ends its share and nobody else's; only when all
 *   have come to an end is there an outcome.
 * - *What has arrived is remembered.* After `retry`, and after `rejected` with the records named, delivery comes with the
 *   rest; records that had arrived are not sent again. The memory goes with the batch. A crash loses it.
 * - *Patience is limited.* While a destination fails, everybody waits, in the queue on disk: a tenant's short outage costs
 *   the others a delay. A destination that has used up its patience (`patience.ts`) is set aside: its records are named
 *   in `rejected` and so become dead letters, to be replayed, and the others go on. This is the one place where a
 *   destination's fault is not answered with `retry`: with one cursor for all, holding for one tenant for ever would fill
 *   the queue, and then the journals of all. It is never done to a destination that is alone.
 * - *Rejected records are named* for what they are: of one identity at a time, so that each dead letter has its own reason.
 *
 * Records are rejected before anything is sent where that is known before (no serve record, set aside); poison, which
 * the destination refuses even alone, when everything else has been sent.
 *
 * Secrets are in targets, in the request's headers and bodies, and nowhere else. Reasons, log lines and names of
 * destinations hold at most scheme, host and port, and the identity, which is no secret.
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
    this.#events = new LogplexEvents(context);
    this.#routes = this.#createRoutes();
  }

  /** Nobody needs to be there. Throws when the file of authorities cannot be read. */
  async start(): Promise<void> {
    this.#client = await openClient(this.#configuration, this.#context.clock);
    if (this.#configuration.insecure) this.#events.insecure();
  }

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    if (this.#client === undefined) return retry('the emitter is not started');
    const fault = await this.#routes.refresh();
    if (fault !== undefined) return retry(fault);
    const plan = planOf(batch, {
      routes: this.#routes,
      sent: this.#sent,
      newShare: (destination) => this.#newShare(destination),
    });
    if (plan.kind === 'rejected') return this.#drop(plan);
    const failures = await this.#sendAll(plan.shares, signal);
    const outcome = this.#outcomeOf(plan.shares, failures);
    if (outcome.kind === 'delivered') for (const { stream } of batch.slices) this.#sent.forget(stream);
    else for (const share of plan.shares.values()) this.#remember(share);
    return outcome;
  }

  /** Nothing is held: what `emit` has delivered was answered. */
  async flush(): Promise<Delivered> {
    return DELIVERED;
  }

  /** Reads the authorities again. */
  async reopen(): Promise<void> {
    const old = this.#client;
    if (old === undefined) return;
    try {
      this.#client = await openClient(this.#configuration, this.#context.clock);
      old.close();
    } catch (error) {
      this.#events.reopenFailed(error instanceof Error ? error.message : String(error));
    }
  }

  /** Requests under way have ended by the signal of their `emit`. */
  async stop(): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
  }

  #newShare({ target: { token } }: Destination): Share {
    const { text, host, long_text } = this.#configuration;
    return new Share({ text, host, longText: long_text, token }, this.#events);
  }

  /** All shares to their end, so many at a time. */
  async #sendAll(
    shares: ReadonlyMap<Destination, Share>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Destination, DestinationFailure>> {
    // Every request under way listens: many of them are no leak.
    setMaxListeners(0, signal);
    const failures = new Map<Destination, DestinationFailure>();
    const waiting = shares.entries();
    const work = async () => {
      for (const [destination, share] of waiting) {
        const failure = await destination.deliver(share, signal);
        if (failure !== undefined) failures.set(destination, failure);
      }
    };
    await Promise.all(Array.from({ length: Math.min(shares.size, MAX_DESTINATIONS_AT_ONCE) }, work));
    return failures;
  }

  /** Poison first: what is named is out of the way when delivery comes again. */
  #outcomeOf(
    shares: ReadonlyMap<Destination, Share>,
    failures: ReadonlyMap<Destination, DestinationFailure>,
  ): Outcome {
    for (const { poison } of shares.values()) {
      const [first] = poison;
      if (first !== undefined) {
        const records = poison.map(({ record }) => record).sort((a, b) => a - b);
        return rejected(first.reason, records);
      }
    }
    for (const [destination, { isSetAside, reason }] of failures) {
      if (isSetAside) return this.#drop(rejected(reason, shares.get(destination)?.undelivered() ?? []));
    }
    return retryFor([...failures.values()]);
  }

  #remember(share: Share): void {
    for (const { slice, firstIndex } of share.runs) {
      this.#sent.addDelivered(slice, (index) => share.isDelivered(firstIndex + index));
    }
  }

  #drop(outcome: Rejected): Rejected {
    this.#events.dropped(outcome.records?.length ?? 0);
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
      patience: new Patience({ limitMs: patience, hasOthers: () => this.#routes.size > 1, clock }),
      client: () => this.#client,
      clock,
      events: this.#events,
    });
  }
}

const CONCURRENCY = 3;
/** Each may have several connections. */
const MAX_DESTINATIONS_AT_ONCE = 64;

/** Nobody is tried before he asked to be; who did not ask is not made to wait for it. */
function retryFor(failures: readonly DestinationFailure[]): Outcome {
  const [first] = failures;
  if (first === undefined) return DELIVERED;
  const others = failures.length - 1;
  const reason = others === 0 ? first.reason : `${first.reason} (and ${others} other destinations)`;
  const waits = failures.map(({ afterMs = 0 }) => afterMs);
  const afterMs = Math.min(...waits);
  return retry(reason, afterMs > 0 ? afterMs : undefined);
}
