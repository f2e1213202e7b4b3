import { FrameSplitter } from '../../protocols/rabbitmq-stream/frame-splitter.ts';
import {
  STREAM_ANSWER,
  STREAM_KEYS,
  type StreamFrame,
  sizedBytes,
  streamFrame,
  text,
  textMap,
  uint16,
  uint32,
} from '../../protocols/rabbitmq-stream/frames.ts';
import { SerialQueue } from '../../runtime/async/serial-queue.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import { productVersion } from '../../runtime/product-version.ts';
import type { Connection, TransportFailure } from '../transport.ts';
import { timedOut } from '../transport-failure.ts';
import { streamCodeText } from './stream-codes.ts';

export interface StreamListener {
  confirmed(publishingIds: readonly bigint[]): void;
  /** The broker did not store messages, or the stream moved or was deleted; or the connection ended. */
  failed(failure: TransportFailure): void;
}

export interface StreamLogin {
  readonly username: string;
  /** Secret. */
  readonly password: string;
  readonly vhost: string;
  /** The purpose of the connection, for the broker's list of connections. */
  readonly purpose: string;
}

export interface StreamAnswer {
  readonly code: number;
  /** After the code. */
  readonly content: Buffer;
}

/** A broker that sends nothing for two intervals is gone. */
const HEARTBEAT_SECONDS = 15;
const OK = 1;
/** Without a limit of the broker. */
const DEFAULT_FRAME_BYTES = 1024 * 1024;

export interface StreamSessionOptions {
  readonly clock: Clock;
  /** For the answer to each request. */
  readonly timeoutMs: number;
  readonly listener: StreamListener;
}

/**
 * One connection of the RabbitMQ stream protocol: login, requests with their answers, and heartbeats. Requests and writes
 * resolve with a failure; nothing rejects. After a failure the session has ended.
 */
export class StreamSession {
  readonly #options: StreamSessionOptions;
  readonly #splitter = new FrameSplitter();
  readonly #writes = new SerialQueue();
  readonly #waiting = new Map<number, (answer: StreamAnswer | TransportFailure) => void>();
  #connection: Connection | undefined;
  #correlation = 0;
  #tuned: (frame: StreamFrame | undefined) => void = () => {};
  #isTuning = new Promise<StreamFrame | undefined>((resolve) => {
    this.#tuned = resolve;
  });
  #cancelHeartbeat: Cancel = () => {};
  #hasReceived = false;
  failure: TransportFailure | undefined;
  /** The largest frame that the broker accepts. */
  frameBytes = DEFAULT_FRAME_BYTES;

  constructor(options: StreamSessionOptions) {
    this.#options = options;
  }

  /** For the transport. */
  readonly onData = (bytes: Buffer): void => {
    if (this.failure !== undefined) return;
    this.#hasReceived = true;
    const frames = this.#splitter.push(bytes);
    if (frames === undefined) return this.end({ reason: 'the receiver does not speak the stream protocol' });
    try {
      for (const frame of frames) this.#received(frame);
    } catch {
      // Its content is shorter than its type requires.
      this.end({ reason: 'the broker sent a malformed frame' });
    }
  };

  /** Logs in and opens the virtual host. */
  async open(connection: Connection, login: StreamLogin): Promise<TransportFailure | undefined> {
    this.#connection = connection;
    void connection.whenEnded.then((end) => this.end(end));
    const properties = {
      product: 'mega-collector',
      version: productVersion(),
      connection_name: `mega-collector: ${login.purpose}`,
    };
    const failure =
      (await this.ask(STREAM_KEYS.peerProperties, textMap(properties))) ??
      (await this.ask(STREAM_KEYS.saslHandshake)) ??
      (await this.#authenticate(login)) ??
      (await this.#tune()) ??
      (await this.ask(STREAM_KEYS.open, text(login.vhost)));
    if (failure !== undefined) this.end(failure);
    else this.#beat();
    return failure;
  }

  /** Returns a failure for any answer but OK. */
  async ask(key: number, ...parts: readonly Buffer[]): Promise<TransportFailure | undefined> {
    const answer = await this.request(key, ...parts);
    if ('reason' in answer) return answer;
    return answer.code === OK ? undefined : { reason: streamCodeText(answer.code) };
  }

  async request(key: number, ...parts: readonly Buffer[]): Promise<StreamAnswer | TransportFailure> {
    if (this.failure !== undefined) return this.failure;
    const correlation = ++this.#correlation;
    const { clock, timeoutMs } = this.#options;
    const answered = new Promise<StreamAnswer | TransportFailure>((resolve) => {
      this.#waiting.set(correlation, resolve);
    });
    const cancel = clock.after(timeoutMs, () => this.end(timedOut('the broker did not answer', timeoutMs)));
    void this.write(streamFrame(key, uint32(correlation), ...parts));
    const answer = await answered;
    cancel();
    return answer;
  }

  /** Resolves when the kernel has accepted the frame. A failure ends the session. */
  write(frame: Uint8Array): Promise<TransportFailure | undefined> {
    return this.#writes.run(async () => {
      if (this.#connection === undefined) this.end(NOT_OPEN);
      if (this.failure !== undefined || this.#connection === undefined) return this.failure;
      const failure = await this.#connection.write(frame);
      if (failure !== undefined) this.end(failure);
      return this.failure;
    });
  }

  /** Ends the session in order, until the deadline. */
  async close(deadline: AbortSignal): Promise<void> {
    if (this.failure === undefined)
      await untilAborted(this.ask(STREAM_KEYS.close, uint16(OK), text('closed')), deadline);
    this.end({ reason: 'the connection is closed' });
    await this.#connection?.close(deadline);
  }

  end(failure: TransportFailure): void {
    if (this.failure !== undefined) return;
    this.failure = failure;
    this.#cancelHeartbeat();
    this.#tuned(undefined);
    for (const resolve of this.#waiting.values()) resolve(failure);
    this.#waiting.clear();
    this.#connection?.destroy();
    this.#options.listener.failed(failure);
  }

  async #authenticate({ username, password }: StreamLogin): Promise<TransportFailure | undefined> {
    const plain = Buffer.from(`\0${username}\0${password}`);
    return await this.ask(STREAM_KEYS.saslAuthenticate, text('PLAIN'), sizedBytes(plain));
  }

  /** The broker proposes limits after the login. */
  async #tune(): Promise<TransportFailure | undefined> {
    const { clock, timeoutMs } = this.#options;
    const cancel = clock.after(timeoutMs, () => this.end(timedOut('the broker did not answer', timeoutMs)));
    const frame = await this.#isTuning;
    cancel();
    if (frame === undefined) return this.failure;
    const proposed = frame.content.readUInt32BE(0);
    if (proposed > 0) this.frameBytes = proposed;
    return await this.write(streamFrame(STREAM_KEYS.tune, uint32(proposed), uint32(HEARTBEAT_SECONDS)));
  }

  #beat(): void {
    let quiet = 0;
    const turn = () => {
      quiet = this.#hasReceived ? 0 : quiet + 1;
      this.#hasReceived = false;
      if (quiet >= 2) return this.end(timedOut('the broker sent nothing', 2 * HEARTBEAT_SECONDS * 1000));
      void this.write(streamFrame(STREAM_KEYS.heartbeat));
      this.#cancelHeartbeat = this.#options.clock.after(HEARTBEAT_SECONDS * 1000, turn);
    };
    this.#cancelHeartbeat = this.#options.clock.after(HEARTBEAT_SECONDS * 1000, turn);
  }

  #received(frame: StreamFrame): void {
    const { key, content } = frame;
    const { listener } = this.#options;
    if (key === STREAM_KEYS.publishConfirm) listener.confirmed(idsOf(content));
    else if (key === STREAM_KEYS.publishError) this.end({ reason: publishErrorOf(content) });
    else if (key === STREAM_KEYS.metadataUpdate) this.end({ reason: MOVED });
    else if (key === STREAM_KEYS.close) this.end({ reason: closeReasonOf(content) });
    else if (key === STREAM_KEYS.tune) this.#tuned(frame);
    else if ((key & STREAM_ANSWER) !== 0) this.#answered(content);
  }

  #answered(content: Buffer): void {
    const correlation = content.readUInt32BE(0);
    const resolve = this.#waiting.get(correlation);
    this.#waiting.delete(correlation);
    resolve?.({ code: content.readUInt16BE(4), content: content.subarray(6) });
  }
}

const NOT_OPEN: TransportFailure = { reason: 'not connected' };
const MOVED = 'the broker reports a change of the stream: it was deleted, or its leader has moved';
const MAX_REASON = 300;

function idsOf(content: Buffer): readonly bigint[] {
  const count = content.readUInt32BE(1);
  return Array.from({ length: count }, (_, index) => content.readBigUInt64BE(5 + 8 * index));
}

function publishErrorOf(content: Buffer): string {
  const code = content.length >= 15 ? content.readUInt16BE(13) : 0;
  return `the broker did not store a message: ${streamCodeText(code)}`;
}

function closeReasonOf(content: Buffer): string {
  const reason = content.subarray(8).toString().slice(0, MAX_REASON);
  return `the broker has closed the connection: ${reason}`;
}
