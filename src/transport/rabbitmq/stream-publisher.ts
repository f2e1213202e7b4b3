import { STREAM_KEYS, text, textMap, uint8 } from '../../protocols/rabbitmq-stream/frames.ts';
import {
  framedRuns,
  type NumberedMessage,
  publishFrame,
} from '../../protocols/rabbitmq-stream/publish-frame.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { TransportFailure } from '../transport.ts';
import { timedOut } from '../transport-failure.ts';
import { type BrokerAddress, brokerAddressText } from './broker-address.ts';
import type { BrokerLogin } from './broker-connection.ts';
import { openStreamSession } from './open-stream-session.ts';
import { STREAM_CODES, streamCodeText } from './stream-codes.ts';
import { StreamSession } from './stream-session.ts';

export interface StreamPublisherOptions {
  readonly login: BrokerLogin;
  readonly stream: string;
  /** The arguments of a stream that is created; undefined: the stream must exist. */
  readonly creation: Readonly<Record<string, string>> | undefined;
  readonly clock: Clock;
  /** Bytes of messages that may wait for their confirms. */
  readonly windowBytes: number;
  /** Maximum wait for a confirm. */
  readonly answerTimeoutMs: number;
}

export type ProducerOpening =
  /** `last`: the number of the last message that the stream has of this producer, or that is on its way; 0: none. */
  | { readonly kind: 'open'; readonly last: bigint }
  | { readonly kind: 'failed'; readonly failure: TransportFailure };

/**
 * Publishes numbered messages to a stream. The broker remembers the last number of each producer, and drops a message
 * whose number is not higher. So the caller continues after `last`, and a message that is sent again is stored once.
 *
 *     use(producer) -> ( publish* flush )* -> use(another producer)
 *
 * A failure ends the connection. `use` opens the next one, and asks the broker for the last number.
 */
export class StreamPublisher {
  readonly #options: StreamPublisherOptions;
  #address: string;
  /** The index of the next address. */
  #next = 0;
  #session: StreamSession | undefined;
  #producer: string | undefined;
  /** The last number of the producer: stored, or on its way. */
  #last = 0n;
  /** Sizes of unconfirmed messages. */
  readonly #pending = new Map<bigint, number>();
  #pendingBytes = 0;
  #wake: () => void = () => {};

  constructor(options: StreamPublisherOptions) {
    this.#options = options;
    const [first] = options.login.addresses;
    this.#address = first === undefined ? '' : brokerAddressText(first);
  }

  /** The address of the last connection or attempt. */
  get address(): string {
    return this.#address;
  }

  /** The largest frame; a message is a little smaller. */
  get frameBytes(): number {
    return this.#session?.frameBytes ?? 0;
  }

  /** Connects and creates the stream, unless that is done, and declares the producer. */
  async use(producer: string, signal: AbortSignal): Promise<ProducerOpening> {
    const failure = (await this.#connect(signal)) ?? (await this.#declare(producer, signal));
    return failure === undefined ? { kind: 'open', last: this.#last } : { kind: 'failed', failure };
  }

  /** Publishes messages with ascending numbers above `last`. Resolves when the window has room for the next ones. */
  async publish(
    messages: readonly NumberedMessage[],
    signal: AbortSignal,
  ): Promise<TransportFailure | undefined> {
    for (const run of framedRuns(messages, this.frameBytes)) {
      const session = this.#session;
      if (session === undefined) return NOT_CONNECTED;
      for (const { publishingId, content } of run) {
        this.#pending.set(publishingId, content.length);
        this.#pendingBytes += content.length;
        this.#last = publishingId;
      }
      const failure =
        (await session.write(publishFrame(PUBLISHER, run))) ??
        (await this.#untilPending(this.#options.windowBytes, signal));
      if (failure !== undefined) return this.#leave(failure);
    }
    return undefined;
  }

  /** Resolves when all messages are confirmed. */
  async flush(signal: AbortSignal): Promise<TransportFailure | undefined> {
    const failure = await this.#untilPending(0, signal);
    return failure === undefined ? undefined : this.#leave(failure);
  }

  async close(deadline: AbortSignal): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#wake();
    await session?.close(deadline);
  }

  async #connect(signal: AbortSignal): Promise<TransportFailure | undefined> {
    if (this.#session !== undefined && this.#session.failure === undefined) return undefined;
    this.#leave({ reason: '' });
    const { addresses } = this.#options.login;
    let first: TransportFailure | undefined;
    for (let attempt = 0; attempt < addresses.length && !signal.aborted; attempt++) {
      const address = addresses[this.#next % addresses.length];
      if (address === undefined) break;
      const failure = await this.#open(address, signal);
      if (failure === undefined) return undefined;
      first ??= failure;
      this.#next++;
    }
    return first ?? ABORTED;
  }

  async #open(address: BrokerAddress, signal: AbortSignal): Promise<TransportFailure | undefined> {
    const { clock, login, answerTimeoutMs } = this.#options;
    this.#address = brokerAddressText(address);
    const session = new StreamSession({
      clock,
      timeoutMs: login.timeoutMs,
      listener: { confirmed: (ids) => this.#confirmed(session, ids), failed: () => this.#wake() },
    });
    const plan = { address, login, clock, writeTimeoutMs: answerTimeoutMs };
    const failure = (await openStreamSession(session, plan, signal)) ?? (await this.#create(session));
    if (failure === undefined) this.#session = session;
    else session.end(failure);
    return failure;
  }

  async #create(session: StreamSession): Promise<TransportFailure | undefined> {
    const { stream, creation } = this.#options;
    if (creation === undefined) return undefined;
    const answer = await session.request(STREAM_KEYS.create, text(stream), textMap(creation));
    if ('reason' in answer) return answer;
    const { code } = answer;
    return code === STREAM_CODES.ok || code === STREAM_CODES.streamExists
      ? undefined
      : { reason: `cannot create the stream: ${streamCodeText(code)}` };
  }

  /** The messages of the previous producer must be confirmed first: its number is used again. */
  async #declare(producer: string, signal: AbortSignal): Promise<TransportFailure | undefined> {
    const session = this.#session;
    if (session === undefined) return NOT_CONNECTED;
    if (this.#producer === producer) return undefined;
    const { stream } = this.#options;
    if (this.#producer !== undefined) {
      const failure =
        (await this.flush(signal)) ?? (await session.ask(STREAM_KEYS.deletePublisher, uint8(PUBLISHER)));
      if (failure !== undefined) return failure;
    }
    const names = [text(producer), text(stream)];
    const failure = await session.ask(STREAM_KEYS.declarePublisher, uint8(PUBLISHER), ...names);
    if (failure !== undefined) return this.#leave(failure);
    const answer = await session.request(STREAM_KEYS.queryPublisherSequence, ...names);
    if ('reason' in answer) return this.#leave(answer);
    if (answer.code !== STREAM_CODES.ok) return this.#leave({ reason: streamCodeText(answer.code) });
    this.#last = answer.content.readBigUInt64BE(0);
    this.#producer = producer;
    return undefined;
  }

  #confirmed(session: StreamSession, publishingIds: readonly bigint[]): void {
    if (session !== this.#session) return;
    for (const id of publishingIds) {
      this.#pendingBytes -= this.#pending.get(id) ?? 0;
      this.#pending.delete(id);
    }
    this.#wake();
  }

  /** Waits until at most this number of bytes is unconfirmed. Each confirm shows that the broker works. */
  async #untilPending(bytes: number, signal: AbortSignal): Promise<TransportFailure | undefined> {
    const { answerTimeoutMs } = this.#options;
    while (this.#pending.size > 0 && (this.#pendingBytes > bytes || bytes === 0)) {
      const session = this.#session;
      if (session === undefined) return NOT_CONNECTED;
      if (session.failure !== undefined) return session.failure;
      if (signal.aborted) return ABORTED;
      if (!(await this.#changed(signal))) {
        this.#next++;
        return timedOut('the broker did not confirm the messages', answerTimeoutMs);
      }
    }
    return this.#session?.failure;
  }

  /** False: nothing happened. */
  async #changed(signal: AbortSignal): Promise<boolean> {
    const { clock, answerTimeoutMs } = this.#options;
    return await new Promise<boolean>((resolve) => {
      const cancel = clock.after(answerTimeoutMs, () => done(false));
      const woken = () => done(true);
      signal.addEventListener('abort', woken, { once: true });
      this.#wake = woken;
      const done = (isChanged: boolean) => {
        cancel();
        signal.removeEventListener('abort', woken);
        this.#wake = () => {};
        resolve(isChanged);
      };
    });
  }

  #leave(failure: TransportFailure): TransportFailure {
    const session = this.#session;
    this.#session = undefined;
    this.#producer = undefined;
    this.#pending.clear();
    this.#pendingBytes = 0;
    session?.end(failure);
    return failure;
  }
}

/** The number of the only publisher of a connection. */
const PUBLISHER = 0;
const NOT_CONNECTED: TransportFailure = { reason: 'not connected' };
const ABORTED: TransportFailure = { reason: 'aborted' };
