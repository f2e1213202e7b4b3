import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Resource } from '../../../records/resource.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import type { InheritedSockets } from '../../../runtime/inherited-sockets.ts';
import { listenError } from '../../../runtime/listen-error.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import type { Journal } from '../../journal/journal.ts';
import type { ListenerStatus, Source, SourceStatus, StreamSink } from '../../source.ts';
import { SYSLOG_EVENTS, type SyslogEvents } from './events.ts';
import { explainListeners } from './explain-listener.ts';
import { listenText } from './listen-address.ts';
import { ListenerChannel } from './listener-channel.ts';
import type { ListenerConfiguration } from './listener-configuration.ts';
import { resendWindow } from './listener-resends.ts';
import { PackedChannel, type PackedChannelOptions } from './packed-channel.ts';
import { RejectedPeers } from './rejected-peers.ts';
import { forgetResends } from './resend-window.ts';
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
  readonly store: StateStore;
  /** The sockets that systemd has opened, by name. */
  readonly inheritedSockets?: InheritedSockets | undefined;
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
    const { journal, store, listeners } = this.#options;
    journal.attach(sink);
    for (const configuration of listeners) this.#listeners.push(this.#create(configuration));
    const origins = new Set(this.#listeners.map(({ name }) => name));
    await forgetResends(store, origins);
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
    return {
      streams: journal.status(),
      failure: journal.failure ?? closed?.failure,
      listeners: this.#listeners.map(statusOf),
    };
  }

  async explain(subject: string): Promise<object | undefined> {
    const listeners = this.#listeners.map((each) => ({ ...each, status: statusOf(each) }));
    return explainListeners(subject, listeners);
  }

  close(deadline: AbortSignal): Promise<void> {
    return this.#options.journal.stop(deadline);
  }

  #create(configuration: ListenerConfiguration): OpenedListener {
    const { journal, store, resource, clock, threadArguments, inheritedSockets } = this.#options;
    const name = listenText(configuration.listen);
    const label = {
      format: configuration.format,
      resource: new Map([...resource, ...configuration.resource]),
    };
    const resends = resendWindow(configuration, store);
    const isPacked = configuration.pack !== undefined;
    const channel = new ListenerChannel({ journal, origin: name, label, resends, isPacked });
    const packed = packedChannel(configuration, { channel, ...label, clock });
    const rejected = new RejectedPeers(clock);
    const options = {
      configuration,
      channel,
      resends,
      packed,
      events: rejected.observe(this.#events),
      listener: name,
      clock,
      fd: inheritedSocket(configuration, inheritedSockets),
      ...(threadArguments && { threadArguments }),
    };
    const listener = createListener(options);
    const state = { isOpen: false, address: undefined, failure: undefined };
    return { name, configuration, listener, channel, packed, rejected, ...state };
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
      opened.address = address;
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
  readonly configuration: ListenerConfiguration;
  readonly listener: SyslogListener;
  readonly channel: ListenerChannel;
  readonly packed: PackedChannel | undefined;
  readonly rejected: RejectedPeers;
  /** Where it was opened. */
  address: string | undefined;
  isOpen: boolean;
  /** Why it is not open. */
  failure: string | undefined;
}

const RETRY_AFTER_MS = 5000;

function statusOf({ name, listener, channel, isOpen, address, failure }: OpenedListener): ListenerStatus {
  const { clients = [], connections, dropped } = listener.activity?.() ?? {};
  return {
    listener: name,
    state: isOpen ? 'listening' : 'closed',
    ...(isOpen && address !== undefined && { address }),
    ...(failure !== undefined && { failure }),
    ...(connections !== undefined && { connections }),
    clients,
    ...channel.received,
    dropped: { noRoom: channel.dropped, ...dropped },
  };
}

function packedChannel(
  { pack }: ListenerConfiguration,
  options: Omit<PackedChannelOptions, 'rules'>,
): PackedChannel | undefined {
  return pack === undefined ? undefined : new PackedChannel({ ...options, rules: pack });
}

/** Throws when systemd has not passed exactly one socket with the name. */
function inheritedSocket(
  { listen }: ListenerConfiguration,
  sockets: InheritedSockets = new Map(),
): number | undefined {
  if (!('socketName' in listen)) return undefined;
  const fds = sockets.get(listen.socketName) ?? [];
  const [fd] = fds;
  if (fd !== undefined && fds.length === 1) return fd;
  const names = [...sockets.keys()].join(', ') || 'none';
  throw new Error(
    `Cannot listen at ${listenText(listen)}: systemd must pass exactly one socket with this name, got ${fds.length}. ` +
      `Names of passed sockets: ${names}. Set FileDescriptorName= in the socket unit and start it before the service.`,
  );
}

function createListener(options: SyslogListenerOptions): SyslogListener {
  const { transport } = options.configuration.listen;
  const channel = options.packed?.connection({ isAnswered: false }) ?? options.channel;
  if (transport === 'udp') return new UdpListener({ ...options, channel });
  if (transport === 'unixgram') return new UnixDatagramListener({ ...options, channel });
  return new StreamListener(options);
}
