import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import {
  createEmitterChain,
  type EmitterChain,
  type EmitterChainSettings,
} from '../../../src/aggregator/delivery/emitter-chain.ts';
import { decorate, OUTER_DECORATORS } from '../../../src/emitters/create-emitter.ts';
import {
  type BatchStage,
  identityStage,
  stagedEmitter,
} from '../../../src/emitters/decorators/staged-emitter.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryEmitter } from '../../support/memory-emitter.ts';
import { MemoryNotifier } from '../../support/memory-notifier.ts';
import { MemoryQueue } from '../../support/memory-queue.ts';
import { recordBatch } from '../../support/record-batches.ts';

/** A chain with all its collaborators, on a fake clock. */
export class ChainBench {
  readonly clock = new FakeClock();
  readonly queue: MemoryQueue;
  readonly emitter = new MemoryEmitter();
  readonly notifier = new MemoryNotifier();
  readonly logs = capturedLogger();
  metrics = new Registry();
  readonly settings: EmitterChainSettings;
  random = () => 0.999_999;
  stage: BatchStage = identityStage;

  constructor(settings: Partial<EmitterChainSettings> = {}, deadLetterBytes?: number) {
    this.queue = new MemoryQueue(this.clock, deadLetterBytes);
    this.settings = {
      maxRecords: 10,
      publishFrequencyMs: 15_000,
      retryCount: 3,
      retryDelayMs: 5000,
      afterRetries: 'hold',
      ...settings,
    };
  }

  get cursor() {
    return this.queue.cursor('test');
  }

  chain(): EmitterChain {
    this.metrics = new Registry();
    const environment = emitterEnvironment({
      clock: this.clock,
      logger: this.logs.logger,
      metrics: this.metrics,
    });
    const chain = createEmitterChain({
      cursor: this.cursor,
      deadLetters: this.queue.deadLetters,
      emitter: decorate(this.emitter, [...OUTER_DECORATORS, stagedEmitter(this.stage)], environment),
      settings: this.settings,
      notifier: this.notifier,
      clock: this.clock,
      logger: this.logs.logger,
      metrics: this.metrics,
      random: this.random,
    });
    onTestFinished(() => void chain.stop(AbortSignal.abort()));
    return chain;
  }

  async started(): Promise<EmitterChain> {
    const chain = this.chain();
    await chain.start();
    await this.clock.advance(0);
    return chain;
  }

  append(records: readonly string[]): void {
    this.queue.append(recordBatch(records));
  }

  /** Stops the chain while the clock advances. */
  async stop(chain: EmitterChain, deadline = new AbortController()): Promise<void> {
    let isStopped = false;
    const stopping = chain.stop(deadline.signal).then(() => {
      isStopped = true;
    });
    for (let i = 0; i < 100 && !isStopped; i++) await this.clock.advance(i < 50 ? 0 : 100);
    await stopping;
  }

  get deadLetters(): string[] {
    return this.queue.deadLetters.list('test').map(({ reason, records }) => `${reason} (${records})`);
  }

  async metric(name: string): Promise<number | undefined> {
    const metric = await this.metrics.getSingleMetric(name)?.get();
    return metric?.values[0]?.value;
  }
}

/** Ten records: exactly one batch. */
export function ten(prefix: string): string[] {
  return Array.from({ length: 10 }, (_, index) => `${prefix}${index}\n`);
}
