import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Explain, Explanation, StatusReport } from '../../records/gen/megacollector/v1/aggregator.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Component } from '../../runtime/component.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import type { SourceStream, StreamSink } from '../source.ts';
import { Addresses } from './addresses.ts';
import { type CompressionSetting, chooseCompression } from './compression-choice.ts';
import { PUBLISHER_EVENTS, type PublisherEvents } from './events.ts';
import { PublishClient } from './publish-client.ts';
import { type CollectorIdentity, PublishSession } from './publish-session.ts';
import { PublishedStream } from './published-stream.ts';
import { type EndedCall, ReconnectBackoff } from './reconnect-backoff.ts';

/**
 * Sends the sources' streams to an aggregator: one call at a time, to one address at a time, without end. It
 * owns no data: sources are read again from the position that the aggregator reports.
 */
export class Publisher implements StreamSink, Component {
  readonly #options: PublisherOptions;
  readonly #events: PublisherEvents;
  readonly #addresses: Addresses;
  readonly #clients = new Map<string, PublishClient>();
  #tls: TlsMaterial | undefined;
  readonly #streams = new Map<StreamId, PublishedStream>();
  readonly #stopping = new AbortController();
  #session: PublishSession | undefined;
  #inUse: PublishClient | undefined;
  #running: Promise<void> | undefined;
  #connected = false;
  #sentRecords = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#tls = options.tls;
    const { logger, metrics, clock } = options;
    this.#events = PUBLISHER_EVENTS.open({ logger, metrics, clock });
    this.#addresses = new Addresses(options.addresses, options.clock, options.random);
  }

  /** The aggregator in use; undefined while there is none. */
  get connectedTo(): string | undefined {
    return this.#connected ? this.#addresses.current : undefined;
  }

  /** Since the start, repetitions included. */
  get sentRecords(): number {
    return this.#sentRecords;
  }

  sentRecordsOf(id: StreamId): number | undefined {
    return this.#streams.get(id)?.sentRecords;
  }

  /** The publisher as a source of this name sees it. */
  sinkOf(sourceName: string): StreamSink {
    return {
      open: (stream) => this.open(stream, sourceName),
      wake: (stream) => this.wake(stream),
      close: (stream) => this.close(stream),
    };
  }

  open(source: SourceStream, sourceName = ''): void {
    const stream = new PublishedStream(source, sourceName);
    this.#streams.set(source.id, stream);
    this.#session?.wake(stream);
  }

  wake(id: StreamId): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#session?.wake(stream);
  }

  close(id: StreamId): void {
    this.#streams.delete(id);
  }

  async start(): Promise<void> {
    this.#running ??= this.#run();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    this.#session?.finish();
    const giveUp = () => this.#session?.cancel();
    if (deadline.aborted) giveUp();
    deadline.addEventListener('abort', giveUp, { once: true });
    await this.#running;
    deadline.removeEventListener('abort', giveUp);
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  /** Used from the next connection on. The current connection continues. */
  useTls(tls: TlsMaterial | undefined): void {
    this.#tls = tls;
    for (const client of this.#clients.values()) {
      // That would end its call.
      if (client !== this.#inUse) client.close();
    }
    this.#clients.clear();
  }

  async #run(): Promise<void> {
    const backoff = new ReconnectBackoff(this.#options.random);
    while (!this.#stopping.signal.aborted) {
      backoff.ended(await this.#runSession());
      // All addresses are tried without delay; the delay follows each round.
      if (this.#addresses.atFirst) await this.#pause(backoff.pauseMs);
    }
  }

  /** Runs one call. */
  async #runSession(): Promise<EndedCall> {
    const address = this.#addresses.current;
    for (const stream of this.#streams.values()) stream.reset();
    const client = this.#client(address);
    this.#inUse = client;
    let welcomedMs = 0;
    const session = new PublishSession({
      transport: client.publish(),
      address,
      identity: this.#options.identity,
      compression: chooseCompression(this.#options.compression, address),
      streams: this.#streams,
      finished: (stream) => this.close(stream.source.id),
      events: {
        ...this.#events,
        connected: (aggregator) => {
          this.#connected = true;
          welcomedMs = this.#options.clock.monotonicMs();
          this.#events.connected(aggregator);
        },
      },
      clock: this.#options.clock,
      undelivered: this.#options.undelivered,
      onSent: (batch, source) => {
        this.#sentRecords += batch.sizes.length;
        this.#options.onSent?.(batch, source);
      },
      status: this.#options.status,
      explain: this.#options.explain,
    });
    this.#session = session;
    if (this.#stopping.signal.aborted) session.finish();
    const goBackInMs = this.#addresses.goBackInMs;
    const cancelGoBack =
      goBackInMs === undefined ? () => {} : this.#options.clock.after(goBackInMs, () => session.finish());
    const { reason, welcomed, fruitful, replaced } = await session.run();
    cancelGoBack();
    this.#session = undefined;
    this.#inUse = undefined;
    const hasOldCredentials = this.#clients.get(address) !== client;
    if (hasOldCredentials) client.close();
    this.#connected = false;
    if (welcomed) {
      if (this.#stopping.signal.aborted) this.#events.ended({ address });
      else if (replaced) this.#events.replaced({ address });
      else this.#events.disconnected({ address, reason });
      this.#addresses.worked();
    } else {
      this.#events.unreachable({ address, reason });
      this.#addresses.failed();
    }
    const welcomedForMs = welcomed ? this.#options.clock.monotonicMs() - welcomedMs : undefined;
    return { hasProgress: fruitful, isReplaced: replaced, welcomedForMs };
  }

  #client(address: string): PublishClient {
    let client = this.#clients.get(address);
    if (client === undefined) {
      const { clock, identity } = this.#options;
      client = new PublishClient(address, { tls: this.#tls, clock, software: identity.software });
      this.#clients.set(address, client);
    }
    return client;
  }

  async #pause(pauseMs: number): Promise<void> {
    if (pauseMs > 0) await this.#options.clock.sleep(pauseMs, this.#stopping.signal).catch(() => {});
  }
}

export interface PublisherOptions {
  /** `host:port`; the first is preferred, the others are used when it cannot be reached. */
  readonly addresses: readonly string[];
  /** undefined: plain text. */
  readonly tls: TlsMaterial | undefined;
  readonly compression: CompressionSetting;
  readonly identity: CollectorIdentity;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly random?: () => number;
  /** If present, called with the number of records that the aggregator has not delivered, after each answer. */
  readonly undelivered?: ((records: number) => void) | undefined;
  /** See `PublishSessionOptions`. */
  readonly onSent?: ((batch: RecordBatch, source: string) => void) | undefined;
  /** If present, the state of this collector is reported to an aggregator that reads it. */
  readonly status?: (() => StatusReport) | undefined;
  /** If present, the aggregator may ask how this collector sees a file. */
  readonly explain?: ((question: Explain) => Promise<Explanation>) | undefined;
}
