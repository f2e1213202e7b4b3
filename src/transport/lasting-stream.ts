import { Backoff, type BackoffOptions } from '../runtime/async/backoff.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { Backlog } from './backlog.ts';
import type { Outlet, OutletCounters, QueueOptions } from './outlet.ts';
import { OutletCounting } from './outlet-counting.ts';
import type { Connection, ConnectionEnd, StreamTransport } from './transport.ts';

/**
 * One lasting stream over successive connections.
 *
 *     idle --message--> connecting --ready--> writing --queue empty--> idle, still connected
 *                         ^   |                  |
 *                         |   v failed           v broken
 *                         backoff <--------------+          (half a second, doubled up to 30 s, with jitter)
 *
 * It connects when there is a message to write. A message is written completely on one connection. It counts
 * as sent when the kernel has accepted it, since a stream without acknowledgements cannot detect whether the
 * receiver has read it. So only the last few messages before a break may be lost.
 *
 * A receiver that closes in order after accepting bytes counts as healthy: the next connection always waits
 * only the shortest time.
 */
export class LastingStream implements Outlet {
  readonly #transport: StreamTransport;
  readonly #clock: Clock;
  readonly #healthyAfterMs: number;
  readonly #writeAgain: boolean;
  readonly #backoff: Backoff;
  readonly #counting: OutletCounting;
  readonly #backlog: Backlog;
  readonly #stopping = new AbortController();
  #current: { readonly connection: Connection; readonly openedMs: number; wrote: boolean } | undefined;
  #pauseMs = 0;
  #running = false;
  #closing: Promise<void> | undefined;

  constructor(transport: StreamTransport, options: LastingStreamOptions = {}) {
    this.#transport = transport;
    this.#clock = options.clock ?? systemClock;
    this.#healthyAfterMs = options.healthyAfterMs ?? 10_000;
    this.#writeAgain = options.writeAgain ?? true;
    this.#backoff = new Backoff(options.backoff);
    const counting = new OutletCounting(transport.address, this.#clock, options.onEvent);
    this.#counting = counting;
    this.#backlog = new Backlog({
      ...options,
      onDropped: (reason, count) => counting.dropped(reason, count),
    });
  }

  get counters(): OutletCounters {
    return this.#counting.counters(this.#backlog);
  }

  write(packets: readonly Uint8Array[]): boolean {
    if (this.#closing !== undefined) {
      this.#counting.dropped('closed', 1);
      return false;
    }
    const taken = this.#backlog.add(packets);
    if (!this.#running) void this.#run();
    return taken;
  }

  room(): Promise<void> {
    return this.#backlog.room();
  }

  flush(deadline?: AbortSignal): Promise<boolean> {
    return this.#backlog.flush(deadline);
  }

  close(deadline: AbortSignal): Promise<void> {
    this.#closing ??= this.#close(deadline);
    return this.#closing;
  }

  async #close(deadline: AbortSignal): Promise<void> {
    await this.#backlog.flush(deadline);
    this.#stopping.abort();
    await this.#current?.connection.close(deadline);
    this.#backlog.clear('closed');
    this.#counting.flush();
  }

  /** Runs once at a time, while there are messages to write. */
  async #run(): Promise<void> {
    this.#running = true;
    while (!this.#backlog.empty && !this.#stopping.signal.aborted) {
      const connection = await this.#connected();
      if (connection !== undefined) await this.#writeSome(connection);
    }
    this.#running = false;
  }

  async #writeSome(connection: Connection): Promise<void> {
    const messages = this.#backlog.take(WRITE_BYTES);
    const bytes = Buffer.concat(messages.flatMap(({ packets }) => packets));
    const failure = await connection.write(bytes);
    if (this.#stopping.signal.aborted) return;
    if (failure === undefined) {
      if (this.#current !== undefined) this.#current.wrote = true;
      this.#backlog.confirm();
      this.#counting.sent(messages.length, bytes.length);
      return;
    }
    if (this.#writeAgain) {
      this.#counting.retried(messages.length);
      this.#backlog.putBack();
    } else {
      this.#backlog.giveUp('failed');
    }
    this.#leave(connection.ended ?? { ...failure, orderly: false });
    connection.destroy();
  }

  /** Returns an open connection; undefined after a failed attempt and its backoff. */
  async #connected(): Promise<Connection | undefined> {
    if (this.#current !== undefined) {
      const { connection } = this.#current;
      if (connection.ended === undefined) return connection;
      this.#leave(connection.ended);
    }
    if (this.#pauseMs > 0) {
      const { signal } = this.#stopping;
      const pauseMs = this.#pauseMs;
      this.#pauseMs = 0;
      await this.#clock.sleep(pauseMs, signal).catch(() => {});
      if (signal.aborted) return undefined;
    }
    const opening = await this.#transport.open({ signal: this.#stopping.signal });
    if (opening.kind === 'open' && this.#stopping.signal.aborted) {
      opening.connection.destroy();
      return undefined;
    }
    if (opening.kind === 'failed') {
      this.#counting.failed(opening.failure.reason);
      this.#pauseMs = this.#backoff.nextMs();
      return undefined;
    }
    this.#counting.connected();
    const { connection } = opening;
    this.#current = { connection, openedMs: this.#clock.monotonicMs(), wrote: false };
    void connection.whenEnded.then((end) => {
      if (this.#current?.connection === connection) this.#leave(end);
    });
    return connection;
  }

  /** Releases an ended connection and sets the wait before the next one. */
  #leave(end: ConnectionEnd): void {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined || this.#stopping.signal.aborted) return;
    const healthy = this.#clock.monotonicMs() - current.openedMs >= this.#healthyAfterMs;
    // Receivers close idle connections; this is no failure.
    if (!healthy || !end.orderly) this.#counting.failed(end.reason);
    if (healthy || (end.orderly && current.wrote)) this.#backoff.reset();
    this.#pauseMs = healthy ? 0 : this.#backoff.nextMs();
  }
}

export interface LastingStreamOptions extends QueueOptions {
  readonly clock?: Clock | undefined;
  readonly backoff?: BackoffOptions | undefined;
  /** A connection that stays open this long resets the backoff. Default 10 s. */
  readonly healthyAfterMs?: number | undefined;
  /**
   * Bytes that the kernel had not confirmed when a connection broke are written again on the next one
   * (default; the receiver may get duplicates), or dropped (the receiver may miss some).
   */
  readonly writeAgain?: boolean | undefined;
}

const WRITE_BYTES = 64 * 1024;
