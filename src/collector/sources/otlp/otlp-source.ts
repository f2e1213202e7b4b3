import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Resource } from '../../../records/resource.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import { errorMessage } from '../../../runtime/error-message.ts';
import { listenError } from '../../../runtime/listen-error.ts';
import type { Journal } from '../../journal/journal.ts';
import type { ListenerStatus, Source, SourceStatus, StreamSink } from '../../source.ts';
import { OTLP_SOURCE_EVENTS, type OtlpSourceEvents } from './events.ts';
import { GrpcListener } from './grpc-listener.ts';
import { HttpListener } from './http-listener.ts';
import { isGrpc, otlpAddressText } from './listen-address.ts';
import { LARGEST_REQUEST_BYTES, type OtlpListenerConfiguration } from './listener-configuration.ts';
import type { OtlpListener } from './otlp-listener.ts';
import { RecordIntake } from './record-intake.ts';

export interface OtlpSourceOptions {
  readonly listeners: readonly OtlpListenerConfiguration[];
  readonly journalMaxBytes: number;
  /** Attributes of each record of this collector. */
  readonly resource: Resource;
  /** Used by this source only: opened before the start, stopped by `close`. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/**
 * Receives logs of OpenTelemetry:
 *
 *     gRPC --------.
 *     HTTP --------+--> intake of the listener --> journal --> publisher
 *     <-- answers -+------- flushed <--------------'
 *
 * A record is the bytes of one `LogRecord`; its resource and scope are in the peer column of the batch. There is one stream
 * for each listener. A listener that cannot be opened is tried again, and the others work.
 */
export class OtlpSource implements Source {
  readonly name = 'otlp';
  readonly #options: OtlpSourceOptions;
  readonly #events: OtlpSourceEvents;
  #listeners: readonly OpenedListener[] = [];
  #cancelRetry: Cancel = () => {};
  #opening: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(options: OtlpSourceOptions) {
    this.#options = options;
    const { logger, metrics, clock } = options;
    this.#events = OTLP_SOURCE_EVENTS.open({ logger, metrics, clock });
  }

  async start(sink: StreamSink): Promise<void> {
    const { journal, listeners } = this.#options;
    journal.attach(sink);
    this.#listeners = listeners.map((configuration) => this.#create(configuration));
    const origins = new Set(this.#listeners.map(({ name }) => name));
    for (const origin of journal.openOrigins) if (!origins.has(origin)) journal.writer(origin).close();
    await this.#openAll();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    this.#cancelRetry();
    await this.#opening;
    await Promise.all(this.#listeners.map((each) => close(each, deadline)));
    this.#events.flush();
  }

  drained(): Promise<void> {
    return this.#options.journal.drained();
  }

  status(): SourceStatus {
    const { journal } = this.#options;
    const closed = this.#listeners.find(({ failure }) => failure !== undefined);
    return {
      streams: journal.status(),
      failure: journal.failure ?? closed?.failure,
      listeners: this.#listeners.map(statusOf),
    };
  }

  close(deadline: AbortSignal): Promise<void> {
    return this.#options.journal.stop(deadline);
  }

  #create(configuration: OtlpListenerConfiguration): OpenedListener {
    const { journal, resource, clock, journalMaxBytes } = this.#options;
    const name = otlpAddressText(configuration.listen);
    const intake = new RecordIntake({
      journal,
      origin: name,
      label: { format: 'otlp', resource: new Map([...resource, ...configuration.resource]) },
      maxBytes: Math.min(LARGEST_REQUEST_BYTES, journalMaxBytes / 4),
    });
    const options = { configuration, listener: name, intake, events: this.#events, clock };
    const listener = isGrpc(configuration.listen) ? new GrpcListener(options) : new HttpListener(options);
    return { name, configuration, intake, listener };
  }

  #openAll(): Promise<void> {
    this.#opening = Promise.all(this.#listeners.map((each) => this.#open(each))).then(() => {
      if (this.#isStopping || this.#listeners.every(({ address }) => address !== undefined)) return;
      this.#cancelRetry = this.#options.clock.after(RETRY_AFTER_MS, () => void this.#openAll());
    });
    return this.#opening;
  }

  async #open(opened: OpenedListener): Promise<void> {
    if (opened.address !== undefined) return;
    const { name: listener } = opened;
    try {
      opened.address = await opened.listener.open();
      delete opened.failure;
      this.#events.listening({ listener, address: opened.address });
    } catch (error) {
      const place = { purpose: 'logs of OpenTelemetry', address: listener };
      const cause = error instanceof Error ? error : new Error(errorMessage(error));
      opened.failure = listenError(place, cause).message;
      this.#events.listenFailed({ listener, reason: opened.failure });
    }
  }
}

const RETRY_AFTER_MS = 5000;

interface OpenedListener {
  readonly name: string;
  readonly configuration: OtlpListenerConfiguration;
  readonly intake: RecordIntake;
  readonly listener: OtlpListener;
  address?: string;
  failure?: string;
}

/** Requests whose records are being written are answered first. */
async function close({ intake, listener }: OpenedListener, deadline: AbortSignal): Promise<void> {
  intake.stop();
  const abandon = () => intake.abandon();
  deadline.addEventListener('abort', abandon, { once: true });
  if (deadline.aborted) abandon();
  await listener.close(deadline);
  deadline.removeEventListener('abort', abandon);
}

function statusOf({ name, intake, listener, address, failure }: OpenedListener): ListenerStatus {
  const { records, bytes } = intake.received;
  return {
    listener: name,
    state: address === undefined ? 'closed' : 'listening',
    ...(address !== undefined && { address }),
    ...(failure !== undefined && { failure }),
    connections: listener.connections,
    clients: [],
    ...{ records, bytes },
    dropped: { noRoom: 0 },
  };
}
