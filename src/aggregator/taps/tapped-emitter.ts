import { forwardingEmitter } from '../../emitters/decorators/forwarding-emitter.ts';
import type { Emitter } from '../../emitters/emitter.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { Taps } from '../../tap/taps.ts';
import { DELIVERED, placeOf, RECEIVED } from './emitter-places.ts';

/** Bytes that wait for their flush. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024;

/** Offers the batches of an emitter to open taps: when it receives them, and after the flush that delivers them. */
export function tappedEmitter(emitter: Emitter, name: string, taps: Taps): Emitter {
  const received = placeOf(name, RECEIVED);
  const pending = new PendingSlices(taps, placeOf(name, DELIVERED));
  return forwardingEmitter(emitter, {
    emit: async (batch, signal) => {
      for (const slice of batch.slices) taps.offer(slice, received);
      const outcome = await emitter.emit(batch, signal);
      if (outcome.kind !== 'delivered') {
        if (outcome.rolledBack) pending.clear();
        // A group of skipped batches is committed without a flush: then their memory is used again.
      } else if (taps.isOpen && outcome.isSkipped !== true) pending.add(batch.slices);
      return outcome;
    },
    flush: async (signal) => {
      const outcome = await emitter.flush(signal);
      if (outcome.kind === 'delivered') pending.offer();
      pending.clear();
      return outcome;
    },
  });
}

class PendingSlices {
  readonly #taps: Taps;
  readonly #place: string;
  #slices: RecordBatch[] = [];
  #bytes = 0;

  constructor(taps: Taps, place: string) {
    this.#taps = taps;
    this.#place = place;
  }

  add(slices: readonly RecordBatch[]): void {
    for (const slice of slices) {
      if (!this.#taps.isTapped(slice, this.#place)) continue;
      if (this.#bytes >= MAX_PENDING_BYTES) {
        this.#taps.missed(slice, this.#place);
        continue;
      }
      this.#slices.push(slice);
      this.#bytes += slice.data.length;
    }
  }

  offer(): void {
    for (const slice of this.#slices) this.#taps.offer(slice, this.#place);
  }

  clear(): void {
    if (this.#slices.length === 0) return;
    this.#slices = [];
    this.#bytes = 0;
  }
}
