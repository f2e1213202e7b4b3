import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Emitter, GroupLimits } from '../../emitters/emitter.ts';
import type { FilterSource } from '../../emitters/filtering/filter-source.ts';
import { plus, sumOf } from '../../records/amount.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Component } from '../../runtime/component.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { DeadLetters, QueueCursor } from '../../storage/queue/queue-contract.ts';
import type { Notifier } from '../notify/notifier.ts';
import { Batcher } from './batcher.ts';
import { Committer } from './committer.ts';
import { Delivery } from './delivery.ts';
import { streakOf } from './delivery-state.ts';
import { type EmitterStatus, statusOf } from './emitter-status.ts';
import { DELIVERY_EVENTS, type DeliveryEvents } from './events.ts';
import { Failures } from './failures.ts';
import type { FlushResult } from './flush-group.ts';
import { Incidents } from './incidents.ts';
import { Lifecycle } from './lifecycle.ts';
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
  /** Filters the next batches with another program: see `Delivery.useFilter`. */
  useFilter(filter: FilterSource | undefined): Promise<void>;
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
  /** Made by `createEmitter`: its `emit` and `flush` return outcomes and never throw. */
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
  readonly #lifecycle: Lifecycle;
  readonly #emitAbort = new AbortController();
  readonly #flushAbort = new AbortController();
  /** From the start of the emitter. */
  #running: RunningDelivery | undefined;
  #lastSuccessUnixNano: bigint | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: EmitterChainOptions) {
    this.#options = options;
    this.emitter = options.cursor.emitter;
    const { logger, metrics } = options;
    this.#events = DELIVERY_EVENTS.open({ logger, metrics, labels: { emitter: this.emitter } });
    this.#incidents = new Incidents(options.notifier, this.emitter);
    this.#lifecycle = new Lifecycle((isHolding) => this.#events.holding({ isHolding }));
  }

  async start(): Promise<void> {
    await this.#options.emitter.start();
    if (this.#lifecycle.activity.kind === 'stopped') return;
    this.deadLettersDiscarded();
    const { delivery, replays, unsubscribe } = this.#assemble();
    const ended = delivery.run().catch((error: unknown) => this.#broken(error));
    this.#running = { delivery, replays, unsubscribe, ended };
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(deadline);
    return this.#stopped;
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    if (this.#running === undefined) this.#lifecycle.on({ kind: 'finish' });
    else await this.#finish(this.#running, deadline);
    this.#emitAbort.abort();
    this.#flushAbort.abort();
    this.#lifecycle.on({ kind: 'stopped' });
    await this.#options.emitter.stop(deadline);
  }

  async #finish({ delivery, unsubscribe, ended }: RunningDelivery, deadline: AbortSignal): Promise<void> {
    unsubscribe();
    delivery.finish();
    if ((await untilAborted(ended, deadline)) === 'aborted') await this.#abandon(ended, deadline);
  }

  #broken(error: unknown): void {
    const reason = errorMessage(error);
    this.#lifecycle.on({ kind: 'broken', reason });
    this.#events.broken({ err: error });
    this.#incidents.blocked(`Delivery stopped because of an internal error: ${reason}`);
  }

  /** Aborts the emitter's calls after the deadline, and waits for it only a short time. */
  async #abandon(ended: Promise<void>, deadline: AbortSignal): Promise<void> {
    this.#emitAbort.abort(deadline.reason);
    const isEnded = new AbortController();
    void ended.finally(() => isEnded.abort());
    await this.#options.clock.sleep(GRACE_MS, isEnded.signal).catch(() => undefined);
  }

  status(): EmitterStatus {
    const oldest = this.#running?.delivery.oldestUndeliveredTimeUnixNano;
    const ageMs = oldest === undefined ? 0 : Number(this.#options.clock.nowUnixNano() - oldest) / 1e6;
    return {
      emitter: this.emitter,
      ...statusOf(this.#lifecycle.state),
      oldestUndeliveredAgeMs: Math.max(ageMs, 0),
      ...(this.#lastSuccessUnixNano !== undefined && { lastSuccessUnixNano: this.#lastSuccessUnixNano }),
    };
  }

  reopen(): void {
    this.#running?.delivery.reopen();
  }

  async useFilter(filter: FilterSource | undefined): Promise<void> {
    await this.#running?.delivery.useFilter(filter);
  }

  tryAgain(): void {
    this.#running?.delivery.tryAgain();
  }

  deadLettersDiscarded(): void {
    if (this.#options.deadLetters.list(this.emitter).length === 0) this.#incidents.noDeadLetters();
  }

  #assemble(): Omit<RunningDelivery, 'ended'> {
    const { cursor, deadLetters, settings, clock, emitter, random = Math.random } = this.#options;
    const { maxRecords, publishFrequencyMs, groupLimits } = settings;
    const [lifecycle, events, incidents] = [this.#lifecycle, this.#events, this.#incidents];
    const signals = { emit: this.#emitAbort.signal, flush: this.#flushAbort.signal };
    const shared = { cursor, clock, emitter, lifecycle, events, signals };
    const batcher = new Batcher({ cursor, clock, from: cursor.committed, maxRecords, publishFrequencyMs });
    const committer = this.#createCommitter(random);
    const progress = new Progress({ ...shared, committer, groupLimits, onFlushed: () => this.#flushed() });
    const replays = new Replays({ deadLetters, emitter: this.emitter, clock }, events);
    const failures = new Failures({ ...shared, ...settings, incidents, random });
    const { afterRetries } = settings;
    const delivery = new Delivery({
      ...shared,
      batcher,
      progress,
      replays,
      deadLetters,
      failures,
      afterRetries,
    });
    const unsubscribe = deadLetters.onReplayRequested(() => delivery.replayRequested());
    return { delivery, replays, unsubscribe };
  }

  #createCommitter(random: () => number): Committer {
    const { cursor, clock } = this.#options;
    return new Committer({
      cursor,
      lifecycle: this.#lifecycle,
      clock,
      random,
      onCommitted: (result) => this.#committed(result),
      onFailed: (error, delayMs) => {
        this.#events.commitFailed({ err: error, delayMs });
        this.#incidents.blocked(`Cannot commit delivered records: ${errorMessage(error)}`);
      },
    });
  }

  #flushed(): void {
    const past = streakOf(this.#lifecycle.activity);
    this.#lifecycle.on({ kind: 'flushed' });
    if (past !== undefined) this.#events.recovered({ failures: past.failures, reason: past.reason });
  }

  #committed({ emitted, deadLetters, discarded, replayed, ...result }: FlushResult): void {
    const filtered = plus(sumOf(result.filtered), result.filteredOfReplays);
    if (filtered.records > 0) this.#events.filtered(filtered);
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
      this.#events.deadLettered({ ...amount, reason: first.letter.reason });
      this.#incidents.deadLettered(amount, first.letter.reason);
    }
    for (const { at, reason, records, bytes } of discarded) {
      this.#events.discarded({ batchId: `${at.entry}/${at.record}`, records, bytes, reason });
    }
    // Checked only when it is likely, because the list may be long.
    if (replayed.length > 0 && this.#running?.replays.isEmpty) this.deadLettersDiscarded();
  }
}

interface RunningDelivery {
  readonly delivery: Delivery;
  readonly replays: Replays;
  readonly unsubscribe: () => void;
  /** Resolves when delivery has ended. */
  readonly ended: Promise<void>;
}
