import type { LogplexTarget } from '../../protocols/logplex/logplex-target.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Body } from './body.ts';
import { type Answer, classifyAnswer, type RequestResult, STOPPED } from './classify-answer.ts';
import type { DestinationBatch } from './destination-batch.ts';
import type { LogplexEvents, RequestFate } from './events.ts';
import type { LogplexClient } from './logplex-client.ts';
import type { StallBudget } from './stall-budget.ts';

export interface DestinationOptions {
  readonly target: LogplexTarget;
  /** For operators; contains no secret. */
  readonly name: string;
  /** Maximum number of concurrent requests. */
  readonly concurrency: number;
  readonly stallBudget: StallBudget;
  /** The current client; undefined after stop. */
  readonly client: () => LogplexClient | undefined;
  readonly clock: Clock;
  readonly events: LogplexEvents;
}

/** Why a destination batch was not delivered completely. */
export interface DestinationFailure {
  readonly reason: string;
  /** Minimum time before the next attempt. */
  readonly afterMs?: number;
  /** The destination delayed the others for too long: delivery does not wait for it. */
  readonly isSuspended: boolean;
}

/**
 * One logplex channel: a URL and a token. Sends its records of each batch, with up to three requests at a
 * time.
 *
 *     answer                         what happens
 *     --------------------------------------------------------------------------------------------------
 *     success                        the records of the body are delivered
 *     content rejected               the body is halved, until the rejected message is alone: `isolated`
 *     16 single messages in a row    the destination is the likely cause: the attempt fails
 *     anything else, or none         the attempt fails
 *
 * An attempt sends the records of one batch. After its first failure, requests in flight complete and no
 * others start. The next attempt begins when delivery emits the batch again, and not before the time that
 * the server requested (Retry-After). `StallBudget` decides whether delivery waits for this destination, and
 * `DestinationBatch` has the state of each record.
 */
export class Destination {
  readonly #options: DestinationOptions;
  /** From the Retry-After of the last failure. */
  #notBeforeMs = 0;
  /** Single messages that were rejected since the last delivery. */
  #isolatedInARow = 0;
  /** Frame ids of bodies that may be sent again. */
  readonly #unanswered = new Set<string>();

  constructor(options: DestinationOptions) {
    this.#options = options;
  }

  get target(): LogplexTarget {
    return this.#options.target;
  }

  get isSuspended(): boolean {
    return this.#options.stallBudget.isSuspended;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Suspended, and the time of the next attempt has not come. */
  get isResting(): boolean {
    return this.#options.stallBudget.isResting;
  }

  /** The serve database no longer contains this destination. */
  forget(): void {
    if (this.isSuspended) this.#options.events.removed();
  }

  /** undefined: everything except poison messages is delivered. */
  async deliver(part: DestinationBatch, signal: AbortSignal): Promise<DestinationFailure | undefined> {
    const { stallBudget, name, events } = this.#options;
    stallBudget.begin();
    const failure = this.#requestedWait() ?? (await this.#sendAll(part, signal));
    if (failure === undefined) {
      if (stallBudget.succeeded()) events.recovered({ destination: name });
      return undefined;
    }
    // An abort on this side is no failure of the destination.
    if (!signal.aborted && stallBudget.failed())
      events.suspended({ destination: name, reason: failure.reason });
    return { ...failure, isSuspended: this.isSuspended };
  }

  async #sendAll(part: DestinationBatch, signal: AbortSignal): Promise<Failure | undefined> {
    const { concurrency } = this.#options;
    const bodies = part.bodies();
    let failure: Failure | undefined;
    let begun = 0;
    const send = async () => {
      for (const body of bodies) {
        // Each attempt sends at least some bodies, even to a slow destination.
        const slow = begun++ < concurrency ? undefined : this.#tooSlow();
        const problem = failure ?? slow ?? (await this.#send(body, part, signal));
        failure ??= problem;
        if (failure !== undefined) return;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, send));
    if (this.#isolatedInARow >= MAX_ISOLATED_REJECTIONS) part.clearIsolatedRejections();
    return failure;
  }

  /** Sends a body, or the parts of it that the server accepts. */
  async #send(body: Body, part: DestinationBatch, signal: AbortSignal): Promise<Failure | undefined> {
    const result = await this.#attempt(body, signal);
    if (result.kind === 'delivered') {
      this.#isolatedInARow = 0;
      part.delivered(body);
      return undefined;
    }
    if (result.kind === 'destination') return this.#failed(result);
    if (body.frames.length === 1) return this.#isolated(body, part, result.reason);
    for (const half of body.halves()) {
      const failure = await this.#send(half, part, signal);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  #isolated(body: Body, part: DestinationBatch, reason: string): Failure | undefined {
    this.#isolatedInARow++;
    part.rejectedInIsolation(body, reason);
    if (this.#isolatedInARow < MAX_ISOLATED_REJECTIONS) return undefined;
    return {
      reason: `${MAX_ISOLATED_REJECTIONS} consecutive messages were each rejected alone, which suggests a fault of the destination: ${reason}`,
    };
  }

  #failed({ reason, afterMs }: Extract<RequestResult, { kind: 'destination' }>): Failure {
    if (afterMs === undefined) return { reason };
    this.#notBeforeMs = this.#options.clock.monotonicMs() + afterMs;
    return { reason, afterMs };
  }

  /** The wait that the server requested with Retry-After. */
  #requestedWait(): Failure | undefined {
    const afterMs = this.#notBeforeMs - this.#options.clock.monotonicMs();
    // Timers can fire slightly early.
    if (afterMs <= EARLY_MS) return undefined;
    return { reason: `${this.target.origin} requested a later retry (Retry-After)`, afterMs };
  }

  #tooSlow(): Failure | undefined {
    return this.#options.stallBudget.isUsedUp ? { reason: `${this.target.origin} is too slow` } : undefined;
  }

  async #attempt(body: Body, signal: AbortSignal): Promise<RequestResult> {
    const bytes = body.bytes();
    const frameId = body.frameId(bytes);
    if (this.#unanswered.delete(frameId)) this.#options.events.retried();
    const request = { target: this.target, body: bytes, messages: body.frames.length, frameId };
    let answer = await this.#post(request, signal);
    if (answer.kind === 'unanswered' && answer.wasReused && !signal.aborted) {
      this.#options.events.retried();
      answer = await this.#post(request, signal);
    }
    const nowUnixMs = Number(this.#options.clock.nowUnixNano() / 1_000_000n);
    const result = classifyAnswer(answer, this.target, nowUnixMs);
    if (result.kind === 'destination') this.#remember(frameId);
    return result;
  }

  async #post(request: Parameters<LogplexClient['post']>[0], signal: AbortSignal): Promise<Answer> {
    const { events, client, clock } = this.#options;
    events.requestBegins();
    const answer = (await client()?.post(request, signal)) ?? STOPPED;
    events.requestEnds({
      fate: requestFate(answer),
      messages: request.messages,
      bytes: request.body.length,
      nowUnixMs: Number(clock.nowUnixNano() / 1_000_000n),
    });
    return answer;
  }

  #remember(frameId: string): void {
    if (this.#unanswered.size >= MAX_REMEMBERED) this.#unanswered.clear();
    this.#unanswered.add(frameId);
  }
}

type Failure = Omit<DestinationFailure, 'isSuspended'>;

/** Equals the number that delivery uses for emitters that cannot identify rejected records. */
const MAX_ISOLATED_REJECTIONS = 16;
const EARLY_MS = 5;
const MAX_REMEMBERED = 64;

function requestFate(answer: Answer): RequestFate {
  if (answer.kind === 'unanswered') return 'cancelled';
  return answer.status >= 200 && answer.status < 300 ? 'successful' : 'rejected';
}
