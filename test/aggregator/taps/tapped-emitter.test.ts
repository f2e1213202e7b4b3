import { expect, test } from 'vitest';
import { tappedEmitter } from '../../../src/aggregator/taps/tapped-emitter.ts';
import { DELIVERED } from '../../../src/emitters/outcome.ts';
import { batchOf } from '../../../src/records/batch.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { Taps } from '../../../src/tap/taps.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryEmitter } from '../../support/memory-emitter.ts';
import { recordBatch } from '../../support/record-batches.ts';

/** Keeps the text of what is offered at each place. */
class RecordingTaps extends Taps {
  readonly offered: string[] = [];

  override get isOpen(): boolean {
    return true;
  }

  override isTapped(): boolean {
    return true;
  }

  override offer({ data }: RecordBatch, place: string): void {
    this.offered.push(`${place} ${String(Buffer.from(data))}`);
  }
}

const NEVER = new AbortController().signal;

test('offers batches when they are received, and those that are delivered after the flush', async () => {
  const taps = new RecordingTaps(new FakeClock());
  const emitter = tappedEmitter(new MemoryEmitter(), 'file', taps);
  await emitter.emit(batchOf([recordBatch(['one'])]), NEVER);
  expect(taps.offered).toEqual(['file:received one']);
  await emitter.flush(NEVER);
  expect(taps.offered).toEqual(['file:received one', 'file:delivered one']);
});

test('does not offer a batch that the filter dropped after a later flush, when its memory has other records', async () => {
  const taps = new RecordingTaps(new FakeClock());
  const inner = new MemoryEmitter();
  inner.onEmit = () => ({ ...DELIVERED, isSkipped: true });
  const emitter = tappedEmitter(inner, 'file', taps);
  await emitter.emit(batchOf([recordBatch(['one'])]), NEVER);
  await emitter.flush(NEVER);
  expect(taps.offered).toEqual(['file:received one']);
});
