import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { BufferPool } from '../../runtime/buffer-pool.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Component } from '../../runtime/component.ts';
import type { Ledger, QueueWriter } from '../../storage/queue/queue-contract.ts';
import { CollectorRegister } from './activity/collector-register.ts';
import { StreamRegister } from './activity/stream-register.ts';
import { BatchAcceptor } from './batch-acceptor.ts';
import { INTAKE_EVENTS, type IntakeEvents } from './events.ts';
import type { CreateIntake, Intake } from './intake.ts';

export interface IntakesOptions {
  readonly queue: QueueWriter;
  readonly ledger: Ledger;
  readonly software: string;
  readonly undeliveredRecords?: () => number;
  /** See `IntakeContext`. */
  readonly messages?: BufferPool | undefined;
  /** See `BatchAcceptorOptions`. */
  readonly whenDelivered?: (() => Promise<void>) | undefined;
  /** Called with each accepted batch. Must not throw. */
  readonly onAccepted?: ((batch: RecordBatch) => void) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/** All intakes of the aggregator. They share the byte budget of unanswered batches, the events and the metrics. */
export class Intakes implements Component {
  readonly #queue: QueueWriter;
  readonly #events: IntakeEvents;
  readonly #intakes: readonly Intake[];
  /** The collectors of this run. */
  readonly collectors: CollectorRegister;
  /** The streams of this run. */
  readonly streams: StreamRegister;
  #unsubscribe: () => void = () => {};

  constructor(options: IntakesOptions, intakes: readonly CreateIntake[]) {
    const { queue, logger, metrics, clock, whenDelivered } = options;
    this.#queue = queue;
    this.#events = INTAKE_EVENTS.open({ logger, metrics, clock });
    this.collectors = new CollectorRegister(clock);
    this.streams = new StreamRegister(clock);
    const { collectors, streams } = this;
    const batches = new BatchAcceptor(queue, this.#events, {
      whenDelivered,
      onAccepted: ({ batch, writer }) => {
        const collector = writer?.owner.collectorId;
        streams.accepted(batch, collector);
        options.onAccepted?.(batch);
        if (collector !== undefined) collectors.accepted(collector, batch.data.length);
      },
    });
    const context = { ...options, batches, collectors, events: this.#events };
    this.#intakes = intakes.map((create) => create(context));
  }

  /** Starts the intakes in order. If one cannot start, stops those that have started, and rejects. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#queue.onStopped((reason) => this.#queueChanged(reason));
    if (this.#queue.stopped !== undefined) this.#queueChanged(this.#queue.stopped);
    try {
      for (const intake of this.#intakes) await intake.start();
    } catch (error) {
      await this.stop(AbortSignal.abort());
      throw error;
    }
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#unsubscribe();
    await Promise.all(this.#intakes.map((intake) => intake.stop(deadline)));
    this.#events.flush();
  }

  #queueChanged(stopped: string | undefined): void {
    if (stopped === undefined) this.#events.resumed();
    else this.#events.stopped({ reason: stopped });
  }
}
