import { setImmediate as turn } from 'node:timers/promises';
import type { Batch } from '../records/batch.ts';
import { type RecordBatch, sliceRecords } from '../records/record-batch.ts';
import { errorMessage } from '../runtime/error-message.ts';
import type { CheckedOutlet } from '../transport/checked-outlet.ts';
import type { TransportFailure } from '../transport/transport.ts';
import type { Emitter, FlushOutcome } from './emitter.ts';
import { DELIVERED, type Outcome, type Retry, retry } from './outcome.ts';

/** Records converted at a time: blocks the event loop for a few milliseconds. */
const CHUNK_RECORDS = 64;
/** Size at which buffered messages are written. */
const WRITE_BYTES = 256 * 1024;

/**
 * Sends each record as a message of a protocol without acknowledgements. At-least-once to the kernel: a sender
 * can know at most that the kernel accepted all bytes on a connection that is still open.
 *
 * Delivery keeps the cursor, so this emitter keeps no state: when a connection breaks, everything since the
 * last flush counts as unsent, and delivery sends it again.
 */
export class OutletEmitter implements Emitter {
  readonly #plan: OutletPlan;
  #outlet: CheckedOutlet | undefined;
  /** Messages were written since the last flush. */
  #dirty = false;
  #reopen = false;

  constructor(plan: OutletPlan) {
    this.#plan = plan;
  }

  /** Does not connect: the first write does. */
  async start(): Promise<void> {
    await this.#open();
  }

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const outlet = await this.#current();
    if (outlet === undefined) return retry('the emitter is not started');
    let packets: Uint8Array[] = [];
    let messages = 0;
    let bytes = 0;
    const write = async (): Promise<Retry | undefined> => {
      this.#dirty = true;
      const failure = await outlet.write(packets, signal);
      if (failure !== undefined) return this.#failed(outlet, failure);
      this.#plan.events.sent({ messages, bytes });
      packets = [];
      messages = 0;
      bytes = 0;
      return undefined;
    };
    for (const chunk of splitIntoChunks(batch)) {
      for (const presented of this.#plan.messagesOf(chunk)) {
        for (const packet of presented) {
          packets.push(packet);
          bytes += packet.length;
        }
        messages++;
      }
      if (bytes < WRITE_BYTES) {
        await turn();
        continue;
      }
      const failed = await write();
      if (failed !== undefined) return failed;
    }
    return (messages > 0 ? await write() : undefined) ?? DELIVERED;
  }

  async flush(signal: AbortSignal): Promise<FlushOutcome> {
    if (!this.#dirty || this.#outlet === undefined) return DELIVERED;
    const failure = await this.#outlet.check(signal);
    if (failure !== undefined) return this.#failed(this.#outlet, failure);
    this.#dirty = false;
    return DELIVERED;
  }

  /** Reads the certificates again before the first message after the next flush. */
  async reopen(): Promise<void> {
    this.#reopen = true;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const outlet = this.#outlet;
    this.#outlet = undefined;
    await outlet?.close(deadline);
    this.#plan.events.flush();
  }

  async #current(): Promise<CheckedOutlet | undefined> {
    if (this.#reopen && !this.#dirty && this.#outlet !== undefined) {
      this.#reopen = false;
      const old = this.#outlet;
      try {
        await this.#open();
        await old.close(AbortSignal.abort());
      } catch (error) {
        this.#plan.events.reopenFailed({ reason: errorMessage(error) });
      }
    }
    return this.#outlet;
  }

  async #open(): Promise<void> {
    this.#outlet = await this.#plan.open(({ reason }) =>
      this.#plan.events.tooLate({ address: this.#outlet?.address ?? '', reason }),
    );
  }

  #failed(outlet: CheckedOutlet, { reason }: TransportFailure): Retry {
    this.#dirty = false;
    this.#plan.events.failed();
    return { ...retry(`${outlet.address}: ${reason}`), rolledBack: true };
  }
}

export interface OutletPlan {
  /** The messages of a slice, each as the packets or the frame to write. */
  messagesOf(slice: RecordBatch): readonly (readonly Uint8Array[])[];
  /** Creates the outlet without connecting. Throws if a certificate file cannot be read or a path is invalid. */
  open(onTooLate: (failure: TransportFailure) => void): Promise<CheckedOutlet>;
  readonly events: OutletEvents;
}

export interface OutletEvents {
  sent(amount: { readonly messages: number; readonly bytes: number }): void;
  failed(): void;
  tooLate(failure: { readonly address: string; readonly reason: string }): void;
  reopenFailed(failure: { readonly reason: string }): void;
  flush(): void;
}

function* splitIntoChunks(batch: Batch): Generator<RecordBatch> {
  for (const slice of batch.slices) {
    for (let from = 0; from < slice.sizes.length; from += CHUNK_RECORDS) {
      yield sliceRecords(slice, from, Math.min(from + CHUNK_RECORDS, slice.sizes.length));
    }
  }
}
