import { readFile } from 'node:fs/promises';
import { LIMITS } from '../../../records/limits.ts';
import type { Position } from '../../../records/position.ts';
import type { Resource } from '../../../records/resource.ts';
import { Timer } from '../../../runtime/async/timer.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import { BrokerConnector } from '../../../transport/rabbitmq/broker-connection.ts';
import { type Delivery, QueueConsumer } from '../../../transport/rabbitmq/queue-consumer.ts';
import type { TlsClientOptions } from '../../../transport/socket-transport.ts';
import type { Journal } from '../../journal/journal.ts';
import type { JournalWriter } from '../../journal/journal-writer.ts';
import type { RecordLabel } from '../../journal/record-run.ts';
import type { ListenerStatus } from '../../source.ts';
import { type ResendTrack, ResendWindow } from '../syslog/resend-window.ts';
import type { RabbitmqQueueConfiguration } from './configuration.ts';
import type { RabbitmqSourceEvents } from './events.ts';
import { MessageAttributes } from './message-attributes.ts';
import { queueOrigin } from './queue-origin.ts';
import { offsetOf, StreamOffsets } from './stream-offsets.ts';

/** A record has the line feed besides the message. */
const LARGEST_MESSAGE = LIMITS.recordBytes - 1;
const RESENDS_TABLE = 'rabbitmq resends';

export interface ConsumedQueueOptions {
  readonly configuration: RabbitmqQueueConfiguration;
  readonly resource: Resource;
  readonly journal: Journal;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly events: RabbitmqSourceEvents;
}

/**
 * Consumes one queue into the journal. A message is acknowledged when it is on disk. While the journal has no room, the
 * messages wait: at most `prefetch` here, the others at the broker.
 */
export class ConsumedQueue {
  readonly origin: string;
  readonly #options: ConsumedQueueOptions;
  readonly #writer: JournalWriter;
  readonly #label: RecordLabel;
  readonly #attributes: MessageAttributes;
  readonly #resends: ResendTrack | undefined;
  /** Only of a stream. */
  readonly #offsets: StreamOffsets | undefined;
  readonly #silence: Timer;
  readonly #stopping = new AbortController();
  /** Received, and not appended yet. */
  #waiting: Delivery[] = [];
  /** Appended, in the order of their positions. */
  #unflushed: Appended[] = [];
  #consumer: QueueConsumer | undefined;
  #isAppending = false;
  #appending: Promise<void> | undefined;
  #messageId: string | undefined;
  #address: string | undefined;
  #failure: string | undefined;

  constructor(options: ConsumedQueueOptions) {
    const { configuration, resource, journal, store } = options;
    this.#options = options;
    this.origin = queueOrigin(configuration);
    this.#label = {
      format: configuration.format,
      resource: new Map([...resource, ...Object.entries(configuration.resource)]),
    };
    this.#silence = new Timer(options.clock, () => void this.#checkSilence());
    this.#attributes = new MessageAttributes(configuration.queue);
    const window =
      configuration.identity === undefined
        ? undefined
        : new ResendWindow({
            ...{ store, listener: this.origin, isMarking: false, table: RESENDS_TABLE },
            identity: { isGlobal: true, of: () => this.#messageId },
          });
    this.#resends = window?.track('');
    const { offset } = configuration;
    const offsets =
      offset === undefined ? undefined : new StreamOffsets({ store, origin: this.origin, start: offset });
    this.#offsets = offsets;
    this.#writer = journal.writer(this.origin, {
      onFlushed: (end) => {
        window?.stored();
        offsets?.stored(end);
        this.#flushed(end);
      },
      onStoring: (end) => {
        window?.storing(end);
        offsets?.storing(end);
      },
    });
  }

  /** Does not wait for the broker. Throws if a certificate file cannot be read. */
  async start(): Promise<void> {
    const { configuration, clock, events } = this.#options;
    const { queue } = configuration;
    const offsets = this.#offsets;
    const { address: addresses, username, password } = configuration;
    this.#consumer = new QueueConsumer({
      connector: new BrokerConnector({
        ...{ addresses, username, password, timeoutMs: CONNECT_TIMEOUT_MS },
        purpose: `source ${queue}`,
        tls: await tlsOf(configuration),
      }),
      topology: {
        queue,
        queueType: configuration.queue_type,
        exchange: configuration.exchange,
        exchangeType: 'existing',
        bindingKey: configuration.binding_key,
      },
      prefetch: configuration.prefetch,
      consumeArguments: () => (offsets === undefined ? {} : { 'x-stream-offset': offsets.begin() }),
      clock,
      onDelivery: (delivery) => this.#received(delivery),
      onConnected: (address) => {
        this.#address = address;
        this.#failure = undefined;
        if (offsets?.isSilent === true) this.#silence.set(STREAM_SILENCE_MS);
        events.connected({ address, queue });
      },
      onDisconnected: (address, reason) => {
        this.#silence.cancel();
        this.#address = undefined;
        this.#failure = `${address}: ${reason}`;
        events.disconnected({ address, queue, reason });
      },
    });
    this.#consumer.start();
  }

  /** Receives no more; answers what is appended when it is on disk, until the deadline. */
  async stop(deadline: AbortSignal): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#stopping.abort();
    this.#silence.cancel();
    this.#waiting = [];
    await consumer?.cancel(deadline);
    await this.#appending;
    while (this.#unflushed.length > 0 && !deadline.aborted) {
      this.#writer.flushSoon();
      await this.#options.clock.sleep(FLUSH_POLL_MS, deadline).catch(() => {});
    }
    await consumer?.stop(deadline);
    this.#resends?.end();
  }

  status(): ListenerStatus {
    return {
      listener: this.origin,
      state: this.#address === undefined ? 'closed' : 'listening',
      ...(this.#address !== undefined && { address: this.#address }),
      ...(this.#failure !== undefined && { failure: this.#failure }),
      clients: [],
      dropped: { noRoom: 0 },
    };
  }

  #received(delivery: Delivery): void {
    if (this.#stopping.signal.aborted) return;
    this.#waiting.push(delivery);
    if (!this.#isAppending) this.#appending = this.#append();
  }

  /** Messages stay in their order, so each waits for the room of the one before it. */
  async #append(): Promise<void> {
    this.#isAppending = true;
    const { signal } = this.#stopping;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const bytes = next.content.length + 1;
      if (!this.#writer.hasRoom(bytes) && !(await this.#writer.whenRoom(bytes, signal))) break;
      if (next.isCurrent) this.#add(next);
    }
    this.#isAppending = false;
  }

  #add(delivery: Delivery): void {
    const { content, properties, isRedelivered } = delivery;
    const { events, configuration } = this.#options;
    const { queue } = configuration;
    if (this.#offsets !== undefined && !this.#isNewIn(this.#offsets, delivery)) return;
    const { messageId } = properties as { readonly messageId?: unknown };
    this.#messageId = typeof messageId === 'string' && messageId !== '' ? messageId : undefined;
    const checked = this.#messageId === undefined ? undefined : this.#resends?.check(content);
    if (checked?.kind === 'dropped') {
      events.repeated({ queue });
      return void this.#unflushed.push({ end: checked.answerAfter, delivery });
    }
    const isRepeated = isRedelivered && checked === undefined;
    if (isRepeated) events.repeated({ queue });
    const end = this.#write(delivery, isRepeated);
    if (end === 'full') return;
    if (checked !== undefined) this.#resends?.add(checked.fingerprint, end);
    this.#offsets?.appended(delivery, end);
    this.#unflushed.push({ end, delivery });
    events.received({ queue, records: 1, bytes: content.length });
  }

  #isNewIn(offsets: StreamOffsets, delivery: Delivery): boolean {
    const { events, configuration } = this.#options;
    const { queue } = configuration;
    const checked = offsets.check(delivery);
    switch (checked.kind) {
      case 'known':
        delivery.ack();
        return false;
      case 'other-stream':
        this.#beginAgain(offsets);
        return false;
      case 'new':
        if (checked.lost > 0) events.lost({ queue, messages: checked.lost });
        return true;
    }
  }

  /**
   * The stored message does not arrive. In the same stream, it or a later one arrives at once: a stream keeps its last
   * messages. So a stream that ends before it is another one, which is still shorter.
   */
  async #checkSilence(): Promise<void> {
    const offsets = this.#offsets;
    if (offsets?.isSilent !== true) return;
    let end: number | undefined;
    const isRead = await this.#consumer?.peek({
      consumeArguments: { 'x-stream-offset': 'last' },
      quietMs: PEEK_QUIET_MS,
      onMessage: (properties) => {
        end = Math.max(end ?? 0, offsetOf({ properties }));
      },
    });
    if (this.#stopping.signal.aborted || this.#address === undefined || !offsets.isSilent) return;
    if (end !== undefined && offsets.isAfter(end)) return this.#beginAgain(offsets);
    const { queue } = this.#options.configuration;
    if (isRead === true && end === undefined) this.#options.events.streamSilent({ queue });
    this.#silence.set(STREAM_SILENCE_MS);
  }

  #beginAgain(offsets: StreamOffsets): void {
    const { events, configuration } = this.#options;
    events.streamReplaced({ queue: configuration.queue });
    offsets.forget();
    this.#consumer?.restart('the stream was deleted and declared again');
  }

  /** The room was checked for the whole message. */
  #write(delivery: Delivery, isRepeated: boolean): Position | 'full' {
    const { content } = delivery;
    const attributes = this.#attributes.of(delivery, isRepeated);
    if (content.length > LARGEST_MESSAGE)
      this.#options.events.split({ queue: this.#options.configuration.queue, bytes: content.length });
    let end: Position | 'full' = 'full';
    for (let from = 0; from === 0 || from < content.length; from += LARGEST_MESSAGE) {
      const part = content.subarray(from, from + LARGEST_MESSAGE);
      end = this.#writer.appendWithLf(part, this.#label, attributes);
      if (end === 'full') return end;
    }
    return end;
  }

  #flushed(end: Position): void {
    const first = this.#unflushed.findIndex((each) => each.end > end);
    const flushed = this.#unflushed.splice(0, first === -1 ? this.#unflushed.length : first);
    for (const { delivery } of flushed) delivery.ack();
  }
}

const CONNECT_TIMEOUT_MS = 10_000;
const FLUSH_POLL_MS = 20;
/** Without a message after it, the end of the stream is compared with the stored offset. */
export const STREAM_SILENCE_MS = 30_000;
const PEEK_QUIET_MS = 2_000;

interface Appended {
  /** The message is on disk when everything before it is. */
  readonly end: Position;
  readonly delivery: Delivery;
}

async function tlsOf(configuration: RabbitmqQueueConfiguration): Promise<TlsClientOptions | undefined> {
  const { address, ca_file, certificate_file, key_file, server_name } = configuration;
  if (!address.some(({ hasTls }) => hasTls)) return undefined;
  const read = (path: string | undefined) => (path === undefined ? undefined : readFile(path, 'utf8'));
  return {
    ca: await read(ca_file),
    certificate: await read(certificate_file),
    key: await read(key_file),
    serverName: server_name,
  };
}
