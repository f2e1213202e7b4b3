import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Resource } from '../../../records/resource.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Source, SourceStatus, StreamSink } from '../../source.ts';
import type { RabbitmqQueueConfiguration } from './configuration.ts';
import { ConsumedQueue } from './consumed-queue.ts';
import { RABBITMQ_SOURCE_EVENTS, type RabbitmqSourceEvents } from './events.ts';
import { forgetOffsets } from './stream-offsets.ts';

export interface RabbitmqSourceOptions {
  readonly queues: readonly RabbitmqQueueConfiguration[];
  /** Attributes of each record of this collector. */
  readonly resource: Resource;
  /** Used by this source only: opened before the start, stopped by `close`. */
  readonly journal: Journal;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/**
 * Consumes messages of other programs from queues of RabbitMQ:
 *
 *     queue --delivery--> journal --> publisher
 *           <-- ack <-- flushed <-'
 *
 * A record is a message and LF. There is one stream for each queue. A broker that is away is waited for.
 */
export class RabbitmqSource implements Source {
  readonly name = 'rabbitmq';
  readonly #options: RabbitmqSourceOptions;
  readonly #events: RabbitmqSourceEvents;
  #queues: readonly ConsumedQueue[] = [];

  constructor(options: RabbitmqSourceOptions) {
    this.#options = options;
    const { logger, metrics, clock } = options;
    this.#events = RABBITMQ_SOURCE_EVENTS.open({ logger, metrics, clock });
  }

  async start(sink: StreamSink): Promise<void> {
    const { journal, queues } = this.#options;
    journal.attach(sink);
    this.#queues = queues.map(
      (configuration) => new ConsumedQueue({ ...this.#options, configuration, events: this.#events }),
    );
    const origins = new Set(this.#queues.map(({ origin }) => origin));
    for (const origin of journal.openOrigins) if (!origins.has(origin)) journal.writer(origin).close();
    await forgetOffsets(this.#options.store, origins);
    for (const queue of this.#queues) await queue.start();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.stop(deadline)));
    this.#events.flush();
  }

  drained(): Promise<void> {
    return this.#options.journal.drained();
  }

  status(): SourceStatus {
    const { journal } = this.#options;
    const listeners = this.#queues.map((queue) => queue.status());
    const closed = listeners.find(({ failure }) => failure !== undefined);
    return { streams: journal.status(), failure: journal.failure ?? closed?.failure, listeners };
  }

  close(deadline: AbortSignal): Promise<void> {
    return this.#options.journal.stop(deadline);
  }
}
