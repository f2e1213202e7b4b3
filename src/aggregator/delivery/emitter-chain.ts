import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Emitter, GroupLimits } from '../../emitters/emitter.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Component } from '../../runtime/component.ts';
import type { DeadLetters, QueueCursor } from '../../storage/queue-contract.ts';
import type { Notifier } from '../notify/notifier.ts';
import { Batcher } from './batcher.ts';
import { Committer } from './committer.ts';
import { Delivery } from './delivery.ts';
import type { EmitterState, EmitterStatus } from './emitter-status.ts';
import { createDeliveryEvents, type DeliveryEvents } from './events.ts';
import type { Settlement } from './group.ts';
import { guardedEmitter } from './guarded-emitter.ts';
import { Incidents } from './incidents.ts';
import { Progress } from './progress.ts';
import { Replays } from './replays.ts';
import { Trouble } from './trouble.ts';

/** After the deadline: for a flush and a commit of what was emitted, and for an emitter to see that it is over. */
const GRACE_MS = 500;

/** `cursor -> batcher -> delivery -> emitter`, for one emitter. */
export interface EmitterChain extends Component {
  readonly emitter: string;
  /**
   * Starts the emitter (throws when its configuration cannot work), then delivers in the background.
   */
  start(): Promise<void>;
  /**
   * Closes the open batch at once and delivers what is queued until it is done, fails, or the deadline aborts. What is
   * left stays in the queue.
   */
  stop(deadline: AbortSignal): Promise<void>;
  status(): EmitterStatus;
  /** SIGHUP: the emitter reopens its files before the next batch. */
  reopen(): void;
  /** What was in the way is gone: does not wait for the next retry. */
  tryAgain(): void;
  /** Dead letters were discarded by hand: closes their incident when none is left. */
  deadLettersDiscarded(): void;
}

export interface EmitterChainSettings {
  /** AGGREGATOR_MAX_BATCH_SIZE */
  readonly maxRecords: number;
  /** AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY */
  readonly publishFrequencyMs: number;
  readonly retryCount: number;
  readonly retryDelayMs: number;
  readonly afterRetries: 'hold' | 'dead-letter' | 'discard';
  /** Default: 8 MiB, 100 ms. */
  readonly groupLimits?: GroupLimits | undefined;
}

export interface EmitterChainOptions {
  readonly cursor: QueueCursor;
  readonly deadLetters: DeadLetters;
  readonly emitter: Emitter;
  readonly settings: EmitterChainSettings;
  readonly notifier: Notifier;
  readonly clock: Clock;
  /** Says already which emitter it is about. */
  readonly logger: Logger;
  readonly metrics: Registry;
  /** [0, 1) */
  readonly random?: () => number;
}

export function createEmitterChain(options: EmitterChainOptions): EmitterChain {
  return new Chain(options);
}

class Chain implements EmitterChain {
  readonly emitter: string;
  readonly #options: EmitterChainOptions;
  readonly #events: DeliveryEvents;
  readonly #incidents: Incidents;
  readonly #emitAbort = new AbortController();
  readonly #flushAbort = new AbortController();
  #life: Life | undefined;
  #lastSuccessUnixNano: bigint | undefined;
  #failure: string | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: EmitterChainOptions) {
    this.#options = options;
    this.emitter = options.cursor.emitter;
    this.#events = createDeliveryEvents(options.logger, options.metrics, this.emitter);
    this.#incidents = new Incidents(options.notifier, this.emitter);
  }

  async start(): Promise<void> {
    await this.#options.emitter.start();
    if (this.#stopped !== undefined) return;
    const life = this.#assemble();
    this.#life = life;
    this.deadLettersDiscarded();
    life.running = life.delivery.run().catch((error: unknown) => {
      this.#failure = messageOf(error);
      this.#events.broken(error);
      this.#incidents.troubled(`Delivery has stopped by a fault of its own: ${this.#failure}`);
    });
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(deadline);
    return this.#stopped;
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    const life = this.#life;
    if (life !== undefined) {
      life.unsubscribe();
      life.delivery.finish();
      const ended = new AbortController();
      await Promise.race([life.running.finally(() => ended.abort()), this.#giveUpAt(deadline, ended.signal)]);
    }
    this.#emitAbort.abort();
    this.#flushAbort.abort();
    await this.#options.emitter.stop(deadline);
  }

  /** Aborts what the emitter is about at the deadline, and gives up on it a moment later. */
  async #giveUpAt(deadline: AbortSignal, ended: AbortSignal): Promise<void> {
    await Promise.race([aborted(deadline), aborted(ended)]);
    this.#emitAbort.abort(deadline.reason);
    await this.#options.clock.sleep(GRACE_MS, ended).catch(() => undefined);
  }

  status(): EmitterStatus {
    const { clock } = this.#options;
    const delivery = this.#life?.delivery;
    const trouble = this.#life?.trouble.report;
    const oldest = delivery?.oldestUndeliveredTimeUnixNano;
    const ageMs = oldest === undefined ? 0 : Number(clock.nowUnixNano() - oldest) / 1e6;
    const reason = this.#failure ?? this.#life?.committer.problem ?? trouble?.reason;
    return {
      emitter: this.emitter,
      state: this.#state(),
      ...(reason !== undefined && { reason }),
      ...(trouble !== undefined && { sinceUnixNano: trouble.sinceUnixNano }),
      failures: trouble?.failures ?? 0,
      oldestUndeliveredAgeMs: Math.max(ageMs, 0),
      ...(this.#lastSuccessUnixNano !== undefined && { lastSuccessUnixNano: this.#lastSuccessUnixNano }),
    };
  }

  reopen(): void {
    this.#life?.delivery.reopen();
  }

  tryAgain(): void {
    this.#life?.delivery.tryAgain();
  }

  deadLettersDiscarded(): void {
    if (this.#options.deadLetters.list(this.emitter).length === 0) this.#incidents.noDeadLetters();
  }

  #state(): EmitterState {
    const life = this.#life;
    if (this.#failure !== undefined) return 'failed';
    if (life === undefined || this.#stopped !== undefined) return 'stopped';
    if (life.committer.problem !== undefined) return 'holding';
    if (life.trouble.report !== undefined) return life.trouble.report.isHolding ? 'holding' : 'retrying';
    return life.delivery.isResting ? 'idle' : 'delivering';
  }

  #assemble(): Life {
    const { cursor, deadLetters, settings, clock, emitter, random = Math.random } = this.#options;
    const { maxRecords, publishFrequencyMs, retryCount, retryDelayMs, afterRetries, groupLimits } = settings;
    const [events, incidents] = [this.#events, this.#incidents];
    const signals = { emit: this.#emitAbort.signal, flush: this.#flushAbort.signal };
    const trouble = new Trouble({ clock, retryCount, retryDelayMs, random });
    const committer = new Committer({
      cursor,
      clock,
      random,
      onCommitted: (settlement) => this.#committed(settlement),
      onFailed: (error, delayMs) => {
        events.commitFailed(error, delayMs);
        incidents.troubled(`What was delivered could not be committed: ${messageOf(error)}`);
      },
    });
    const onFlushed = () => {
      const past = trouble.over();
      if (past !== undefined) events.recovered(past);
    };
    const destination = guardedEmitter(emitter, events, clock);
    const replays = new Replays({ deadLetters, emitter: this.emitter, clock }, events);
    const delivery = new Delivery({
      cursor,
      batcher: new Batcher({ cursor, clock, from: cursor.committed, maxRecords, publishFrequencyMs }),
      progress: new Progress({ destination, cursor, committer, groupLimits, clock, signals, onFlushed }),
      replays,
      deadLetters,
      trouble,
      incidents,
      events,
      clock,
      signals,
      afterRetries,
      reopen: destination.reopen,
    });
    const unsubscribe = deadLetters.onReplayRequested(() => delivery.replayRequested());
    return { delivery, committer, replays, trouble, unsubscribe, running: Promise.resolve() };
  }

  #committed({ emitted, deadLetters, discarded, replayed }: Settlement): void {
    if (emitted.batches > 0) {
      this.#lastSuccessUnixNano = this.#options.clock.nowUnixNano();
      this.#events.delivered(emitted);
      this.#incidents.delivered();
    }
    const first = deadLetters[0];
    if (first !== undefined) {
      const amount = {
        records: deadLetters.reduce((sum, { letter }) => sum + letter.records.sizes.length, 0),
        bytes: deadLetters.reduce((sum, { letter }) => sum + letter.records.data.length, 0),
      };
      this.#events.deadLettered(amount, first.letter.reason);
      this.#incidents.deadLettered(amount, first.letter.reason);
    }
    for (const { at, reason, records, bytes } of discarded) {
      this.#events.discarded({ records, bytes }, `${at.entry}/${at.record}`, reason);
    }
    // Looked at only when there is a chance, since the list may be long.
    if (replayed.length > 0 && this.#life?.replays.isEmpty) this.deadLettersDiscarded();
  }
}

interface Life {
  readonly delivery: Delivery;
  readonly committer: Committer;
  readonly replays: Replays;
  readonly trouble: Trouble;
  readonly unsubscribe: () => void;
  running: Promise<void>;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
