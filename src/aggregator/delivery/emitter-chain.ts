import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Emitter, GroupLimits } from '../../emitters/emitter.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Component } from '../../runtime/component.ts';
import type { DeadLetters, QueueCursor } from '../../storage/queue/queue-contract.ts';
import type { Notifier } from '../notify/notifier.ts';
import { Batcher } from './batcher.ts';
import { Committer } from './committer.ts';
import { Delivery } from './delivery.ts';
import type { EmitterState, EmitterStatus } from './emitter-status.ts';
import { createDeliveryEvents, type DeliveryEvents } from './events.ts';
import { FailureStreak } from './failure-streak.ts';
import type { FlushResult } from './flush-group.ts';
import { guardedEmitter } from './guarded-emitter.ts';
import { Incidents } from './incidents.ts';
import { Progress } from './progress.ts';
import { Replays } from './replays.ts';

/** `cursor -> batcher -> delivery -> emitter`, for one emitter. */
export interface EmitterChain extends Component {
  readonly emitter: string;
  /** Starts the emitter (throws when its configuration is invalid), then delivers in the background. */
  start(): Promise<void>;
  /**
   * Closes the open batch at once and delivers queued records until the queue is empty, a delivery fails, or
   * the deadline aborts. The rest stays in the queue.
   */
  stop(deadline: AbortSignal): Promise<void>;
  status(): EmitterStatus;
  /** SIGHUP: the emitter reopens its files before the next batch. */
  reopen(): void;
  /** The cause of a failure is gone: tries at once instead of at the next retry. */
  tryAgain(): void;
  /** The operator discarded dead letters: resolves their incident when none is left. */
  deadLettersDiscarded(): void;
}

/** Time after the deadline for a last flush and commit, and for the emitter to stop. */
const GRACE_MS = 500;

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
  /** Already has the emitter's name as a field. */
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
      this.#incidents.blocked(`Delivery stopped because of an internal error: ${this.#failure}`);
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
      await Promise.race([
        life.running.finally(() => ended.abort()),
        this.#abandonAt(deadline, ended.signal),
      ]);
    }
    this.#emitAbort.abort();
    this.#flushAbort.abort();
    await this.#options.emitter.stop(deadline);
  }

  /** Aborts the emitter's calls at the deadline, and stops waiting for it shortly after. */
  async #abandonAt(deadline: AbortSignal, ended: AbortSignal): Promise<void> {
    await Promise.race([aborted(deadline), aborted(ended)]);
    this.#emitAbort.abort(deadline.reason);
    await this.#options.clock.sleep(GRACE_MS, ended).catch(() => undefined);
  }

  status(): EmitterStatus {
    const { clock } = this.#options;
    const delivery = this.#life?.delivery;
    const streak = this.#life?.streak.report;
    const oldest = delivery?.oldestUndeliveredTimeUnixNano;
    const ageMs = oldest === undefined ? 0 : Number(clock.nowUnixNano() - oldest) / 1e6;
    const reason = this.#failure ?? this.#life?.committer.problem ?? streak?.reason;
    return {
      emitter: this.emitter,
      state: this.#state(),
      ...(reason !== undefined && { reason }),
      ...(streak !== undefined && { sinceUnixNano: streak.sinceUnixNano }),
      failures: streak?.failures ?? 0,
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
    if (life.streak.report !== undefined) return life.streak.report.isHolding ? 'holding' : 'retrying';
    return life.delivery.isResting ? 'idle' : 'delivering';
  }

  #assemble(): Life {
    const { cursor, deadLetters, settings, clock, emitter, random = Math.random } = this.#options;
    const { maxRecords, publishFrequencyMs, retryCount, retryDelayMs, afterRetries, groupLimits } = settings;
    const [events, incidents] = [this.#events, this.#incidents];
    const signals = { emit: this.#emitAbort.signal, flush: this.#flushAbort.signal };
    const streak = new FailureStreak({ clock, retryCount, retryDelayMs, random });
    const committer = new Committer({
      cursor,
      clock,
      random,
      onCommitted: (result) => this.#committed(result),
      onFailed: (error, delayMs) => {
        events.commitFailed(error, delayMs);
        incidents.blocked(`Cannot commit delivered records: ${messageOf(error)}`);
      },
    });
    const onFlushed = () => {
      const past = streak.reset();
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
      streak,
      incidents,
      events,
      clock,
      signals,
      afterRetries,
      reopen: destination.reopen,
    });
    const unsubscribe = deadLetters.onReplayRequested(() => delivery.replayRequested());
    return { delivery, committer, replays, streak, unsubscribe, running: Promise.resolve() };
  }

  #committed({ emitted, deadLetters, discarded, replayed }: FlushResult): void {
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
    // Checked only when it is likely, because the list may be long.
    if (replayed.length > 0 && this.#life?.replays.isEmpty) this.deadLettersDiscarded();
  }
}

interface Life {
  readonly delivery: Delivery;
  readonly committer: Committer;
  readonly replays: Replays;
  readonly streak: FailureStreak;
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
