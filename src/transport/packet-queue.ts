import { type Clock, systemClock } from '../runtime/clock.ts';
import { Backlog } from './backlog.ts';
import type { Outlet, OutletCounters, QueueOptions } from './outlet.ts';
import { OutletCounting } from './outlet-counting.ts';
import { Pacer, type PacerOptions } from './pacer.ts';
import type { PacketTransport, TransportFailure } from './transport.ts';

/**
 * The session for datagrams: queues, paces and counts failures. If a packet of a message cannot be sent, the
 * message is dropped and its other packets are not sent, since the receiver could not use them.
 */
export class PacketQueue implements Outlet {
  readonly #transport: PacketTransport;
  readonly #pacer: Pacer;
  readonly #counting: OutletCounting;
  readonly #backlog: Backlog;
  #running = false;
  #stopped = false;
  #closing: Promise<void> | undefined;

  constructor(transport: PacketTransport, options: PacketQueueOptions = {}) {
    const { clock = systemClock } = options;
    this.#transport = transport;
    this.#pacer = new Pacer(clock, options.pacing);
    const counting = new OutletCounting(transport.address, clock, options.onEvent);
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
    this.#stopped = true;
    this.#transport.close();
    this.#backlog.clear('closed');
    this.#counting.flush();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (!this.#backlog.empty && !this.#stopped) {
      const [message] = this.#backlog.take(0);
      if (message === undefined) break;
      const failure = await this.#send(message.packets);
      if (this.#stopped) break;
      if (failure === undefined) {
        this.#backlog.confirm();
        this.#counting.sent(
          1,
          message.packets.reduce((sum, { length }) => sum + length, 0),
        );
      } else {
        this.#counting.failed(failure.reason);
        this.#backlog.giveUp('failed');
      }
    }
    this.#running = false;
  }

  async #send(packets: readonly Uint8Array[]): Promise<TransportFailure | undefined> {
    const late = this.#transport.takeLateFailure();
    if (late !== undefined) this.#counting.failed(late.reason);
    for (const packet of packets) {
      await this.#pacer.next();
      const failure = await this.#transport.send(packet);
      if (failure !== undefined || this.#stopped) return failure;
    }
    return undefined;
  }
}

export interface PacketQueueOptions extends QueueOptions {
  readonly clock?: Clock | undefined;
  readonly pacing?: PacerOptions | undefined;
}
