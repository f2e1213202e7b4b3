import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Resource } from '../../../records/resource.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import { listenError } from '../../../runtime/listen-error.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Source, SourceStatus, StreamSink } from '../../source.ts';
import { SYSLOG_EVENTS, type SyslogEvents } from './events.ts';
import { listenText } from './listen-address.ts';
import { ListenerChannel } from './listener-channel.ts';
import type { ListenerConfiguration } from './listener-configuration.ts';
import { PackedChannel, type PackedChannelOptions } from './packed-channel.ts';
import { StreamListener } from './stream-listener.ts';
import type { SyslogListener, SyslogListenerOptions } from './syslog-listener.ts';
import { UdpListener } from './udp-listener.ts';
import { UnixDatagramListener } from './unix-datagram-listener.ts';

export interface SyslogSourceOptions {
  readonly listeners: readonly ListenerConfiguration[];
  /** Attributes of each record of this collector. */
  readonly resource: Resource;
  /** Used by this source only: opened before the start, stopped by `close`. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Arguments of Node.js for the threads of UDP sockets. */
  readonly threadArguments?: readonly string[];
}

/**
 * Receives syslog messages:
 *
 *     tcp, tls, unix --frames--.
 *     relp, relp+tls --frames---+--> channel of the listener --> journal --> publisher
 *     udp (thread), unixgram --'         |
 *     relp <-- answers <-- flushed <-----'
 *
 * Messages are not parsed: a record is the message without its frame, and LF. There is one stream for each
 * listener; the sender of each record is in the peer column of the batch. A listener that cannot be opened is
 * tried again, and the others work.
 */
export class SyslogSource implements Source {
  readonly name = 'syslog';
  readonly #options: SyslogSourceOptions;
  readonly #events: SyslogEvents;
  readonly #listeners: OpenedListener[] = [];
  #cancelRetry: Cancel = () => {};
  #isStopping = false;
  #opening: Promise<void> = Promise.resolve();

  constructor(options: SyslogSourceOptions) {
    this.#options = options;
    const { logger, metrics, clock } = options;
    this.#events = SYSLOG_EVENTS.open({ logger, metrics, clock });
  }

  async start(sink: StreamSink): Promise<void> {
    const { journal, listeners } = this.#options;
    journal.attach(sink);
    for (const configuration of listeners) this.#listeners.push(this.#create(configuration));
    const origins = new Set(this.#listeners.map(({ name }) => name));
    for (const origin of journal.openOrigins) if (!origins.has(origin)) journal.writer(origin).close();
    await this.#openAll();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    this.#cancelRetry();
    await this.#opening;
    await Promise.all(this.#listeners.map((each) => this.#close(each, deadline)));
    this.#events.flush();
  }

  drained(): Promise<void> {
    return this.#options.journal.drained();
  }

  status(): SourceStatus {
    const { journal } = this.#options;
    const closed = this.#listeners.find(({ failure }) => failure !== undefined);
    return { streams: journal.status(), failure: journal.failure ?? closed?.failure };
  }

  close(deadline: AbortSignal): Promise<void> {
    return this.#options.journal.stop(deadline);
  }

  #create(configuration: ListenerConfiguration): OpenedListener {
    const { journal, resource, clock, threadArguments } = this.#options;
    const name = listenText(configuration.listen);
    const label = {
      format: configuration.format,
      resource: new Map([...resource, ...configuration.resource]),
    };
    const channel = new ListenerChannel(journal, name, label);
    const packed = packedChannel(configuration, { channel, ...label, clock });
    const options = {
      configuration,
      channel,
      stored: channel,
      packed,
      events: this.#events,
      listener: name,
      clock,
      ...(threadArguments && { threadArguments }),
    };
    return { name, listener: createListener(options), packed, isOpen: false, failure: undefined };
  }

  #openAll(): Promise<void> {
    this.#opening = Promise.all(
      this.#listeners.filter(({ isOpen }) => !isOpen).map((each) => this.#open(each)),
    ).then(() => this.#retryLater());
    return this.#opening;
  }

  async #open(opened: OpenedListener): Promise<void> {
    const { name, listener } = opened;
    try {
      const address = await listener.open();
      opened.isOpen = true;
      opened.failure = undefined;
      this.#events.listening({ listener: name, address });
    } catch (error) {
      opened.failure = listenError({ purpose: 'syslog', address: name }, error as Error).message;
      this.#events.listenFailed({ listener: name, reason: opened.failure });
    }
  }

  #retryLater(): void {
    if (this.#isStopping || this.#listeners.every(({ isOpen }) => isOpen)) return;
    this.#cancelRetry = this.#options.clock.after(RETRY_AFTER_MS, () => void this.#openAll());
  }

  async #close(opened: OpenedListener, deadline: AbortSignal): Promise<void> {
    if (!opened.isOpen) return;
    opened.isOpen = false;
    opened.packed?.end();
    await opened.listener.close(deadline);
    this.#events.closed({ listener: opened.name });
  }
}

interface OpenedListener {
  readonly name: string;
  readonly listener: SyslogListener;
  readonly packed: PackedChannel | undefined;
  isOpen: boolean;
  /** Why it is not open. */
  failure: string | undefined;
}

const RETRY_AFTER_MS = 5000;

function packedChannel(
  { pack }: ListenerConfiguration,
  options: Omit<PackedChannelOptions, 'rules'>,
): PackedChannel | undefined {
  return pack === undefined ? undefined : new PackedChannel({ ...options, rules: pack });
}

function createListener(options: SyslogListenerOptions): SyslogListener {
  const { transport } = options.configuration.listen;
  const channel = options.packed?.connection({ isAnswered: false }) ?? options.channel;
  if (transport === 'udp') return new UdpListener({ ...options, channel });
  if (transport === 'unixgram') return new UnixDatagramListener({ ...options, channel });
  return new StreamListener(options);
}
