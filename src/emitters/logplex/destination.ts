import type { LogplexTarget } from '../../protocols/logplex/logplex-target.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Answer, STOPPED, type Verdict, verdictOf } from './answer.ts';
import type { Body } from './body.ts';
import type { LogplexEvents } from './events.ts';
import type { LogplexClient } from './logplex-client.ts';
import type { Patience } from './patience.ts';
import type { Share } from './share.ts';

export interface DestinationOptions {
  readonly target: LogplexTarget;
  /** For people: no secret. */
  readonly name: string;
  /** 1: one after another. */
  readonly concurrency: number;
  readonly patience: Patience;
  /** The one in use now; undefined: stopped. */
  readonly client: () => LogplexClient | undefined;
  readonly clock: Clock;
  readonly events: LogplexEvents;
}

/** Why not all of a share has arrived. */
export interface DestinationFailure {
  readonly reason: string;
  /** Not to be tried before. */
  readonly afterMs?: number;
  /** It has held up the others for too long: do not wait for it. */
  readonly isSetAside: boolean;
}

/**
 * One logplex channel: a URL and a token. Sends its share of each batch, up to three requests at a time.
 *
 * A body that is refused for its content is halved until the message stands alone that it is refused for. When sixteen
 * messages in a row were refused alone, and nothing was taken in between, it is hardly the messages.
 *
 * The first failure that is not about content ends the attempt: what is on its way is waited for, nothing more is begun.
 */
export class Destination {
  readonly #options: DestinationOptions;
  #notBeforeMs = 0;
  #refusedAlone = 0;
  /** Frame ids of bodies that may go again. */
  readonly #unanswered = new Set<string>();

  constructor(options: DestinationOptions) {
    this.#options = options;
  }

  get target(): LogplexTarget {
    return this.#options.target;
  }

  get isSetAside(): boolean {
    return this.#options.patience.isSetAside;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Set aside, and not to be tried again yet. */
  get isResting(): boolean {
    return this.#options.patience.isResting;
  }

  /** It is no longer needed. */
  forget(): void {
    if (this.isSetAside) this.#options.events.forgotten();
  }

  /** undefined: everything has arrived that is not poison. */
  async deliver(share: Share, signal: AbortSignal): Promise<DestinationFailure | undefined> {
    const { patience, name, events } = this.#options;
    patience.begin();
    const failure = this.#asked() ?? (await this.#sendAll(share, signal));
    if (failure === undefined) {
      if (patience.succeeded()) events.worksAgain(name);
      return undefined;
    }
    // Our own end says nothing about the destination.
    if (!signal.aborted && patience.failed()) events.setAside(name, failure.reason);
    return { ...failure, isSetAside: this.isSetAside };
  }

  async #sendAll(share: Share, signal: AbortSignal): Promise<Failure | undefined> {
    const { concurrency } = this.#options;
    const bodies = share.bodies();
    let failure: Failure | undefined;
    let begun = 0;
    const send = async () => {
      for (const body of bodies) {
        // However slow, some of it is tried each time.
        const slow = begun++ < concurrency ? undefined : this.#tooSlow();
        const problem = failure ?? slow ?? (await this.#send(body, share, signal));
        failure ??= problem;
        if (failure !== undefined) return;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, send));
    if (this.#refusedAlone >= ALL_REFUSED_ALONE) share.acquitSuspects();
    return failure;
  }

  /** Sends a body, or as much of it as is taken. */
  async #send(body: Body, share: Share, signal: AbortSignal): Promise<Failure | undefined> {
    const verdict = await this.#attempt(body, signal);
    if (verdict.kind === 'delivered') {
      this.#refusedAlone = 0;
      share.delivered(body);
      return undefined;
    }
    if (verdict.kind === 'destination') return this.#failed(verdict);
    if (body.frames.length === 1) return this.#refuse(body, share, verdict.reason);
    for (const half of body.halves()) {
      const failure = await this.#send(half, share, signal);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  #refuse(body: Body, share: Share, reason: string): Failure | undefined {
    this.#refusedAlone++;
    share.refusedAlone(body, reason);
    if (this.#refusedAlone < ALL_REFUSED_ALONE) return undefined;
    return {
      reason: `${ALL_REFUSED_ALONE} messages in a row were refused alone, so it seems to be the destination: ${reason}`,
    };
  }

  #failed({ reason, afterMs }: Extract<Verdict, { kind: 'destination' }>): Failure {
    if (afterMs === undefined) return { reason };
    this.#notBeforeMs = this.#options.clock.monotonicMs() + afterMs;
    return { reason, afterMs };
  }

  /** It asked not to be tried before. */
  #asked(): Failure | undefined {
    const afterMs = this.#notBeforeMs - this.#options.clock.monotonicMs();
    // Timers fire a moment early at times.
    if (afterMs <= EARLY_MS) return undefined;
    return { reason: `${this.target.origin} has asked not to be tried yet`, afterMs };
  }

  #tooSlow(): Failure | undefined {
    return this.#options.patience.isUsedUp ? { reason: `${this.target.origin} is too slow` } : undefined;
  }

  async #attempt(body: Body, signal: AbortSignal): Promise<Verdict> {
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
    const verdict = verdictOf(answer, this.target, nowUnixMs);
    if (verdict.kind === 'destination') this.#remember(frameId);
    return verdict;
  }

  async #post(request: Parameters<LogplexClient['post']>[0], signal: AbortSignal): Promise<Answer> {
    const { events, client } = this.#options;
    events.requestBegins();
    const answer = (await client()?.post(request, signal)) ?? STOPPED;
    events.requestEnds(fateOf(answer), request.messages, request.body.length);
    return answer;
  }

  #remember(frameId: string): void {
    if (this.#unanswered.size >= MAX_REMEMBERED) this.#unanswered.clear();
    this.#unanswered.add(frameId);
  }
}

type Failure = Omit<DestinationFailure, 'isSetAside'>;

/** As delivery counts for the emitters that cannot name records. */
const ALL_REFUSED_ALONE = 16;
const EARLY_MS = 5;
const MAX_REMEMBERED = 64;

function fateOf(answer: Answer): 'successful' | 'rejected' | 'cancelled' {
  if (answer.kind === 'unanswered') return 'cancelled';
  return answer.status >= 200 && answer.status < 300 ? 'successful' : 'rejected';
}
