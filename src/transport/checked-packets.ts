import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../runtime/clock.ts';
import { ABORTED, type CheckedOutlet, type CheckedOutletOptions } from './checked-outlet.ts';
import { Pacer, type PacerOptions } from './pacer.ts';
import type { PacketTransport, TransportFailure } from './transport.ts';

/**
 * Paced packets with checks: a successful check means that the kernel accepted all packets and that no error
 * was reported so far. Packets lost in the network are not detected.
 */
export class CheckedPackets implements CheckedOutlet {
  readonly address: string;
  readonly #transport: PacketTransport;
  readonly #pacer: Pacer;
  readonly #onTooLate: (failure: TransportFailure) => void;
  #dirty = false;

  constructor(transport: PacketTransport, options: CheckedPacketsOptions = {}) {
    this.address = transport.address;
    this.#transport = transport;
    this.#pacer = new Pacer(options.clock ?? systemClock, options.pacing);
    this.#onTooLate = options.onTooLate ?? (() => {});
  }

  async write(packets: readonly Uint8Array[], signal?: AbortSignal): Promise<TransportFailure | undefined> {
    for (const packet of packets) {
      await this.#pacer.next();
      const failure = this.#late() ?? (signal?.aborted ? ABORTED : await this.#transport.send(packet));
      if (failure !== undefined) return this.#forget(failure);
      this.#dirty = true;
    }
    return undefined;
  }

  async check(): Promise<TransportFailure | undefined> {
    // Handles errors reported so far first.
    await turn();
    await turn();
    const failure = this.#late();
    this.#dirty = false;
    return failure;
  }

  close(): Promise<void> {
    this.#transport.close();
    return Promise.resolve();
  }

  #late(): TransportFailure | undefined {
    const failure = this.#transport.takeLateFailure();
    if (failure === undefined || this.#dirty) return failure;
    this.#onTooLate(failure);
    return undefined;
  }

  #forget(failure: TransportFailure): TransportFailure {
    this.#dirty = false;
    return failure;
  }
}

export interface CheckedPacketsOptions extends CheckedOutletOptions {
  readonly pacing?: PacerOptions | undefined;
}
