import { expect, test, vi } from 'vitest';
import { checkOf } from '../../src/records/check.ts';
import type { ChecksumPair } from '../../src/records/checksum-codec.ts';
import type { RecordBatch } from '../../src/records/record-batch.ts';
import { emptyChecksum, extendChecksum } from '../../src/records/running-checksum.ts';
import { mintStreamId } from '../../src/records/stream-id.ts';
import { queueFixture, readAll } from '../storage/queue-fixture.ts';
import { settle } from '../support/fake-clock.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { recordBatch } from '../support/record-batches.ts';
import type { IntakeFixture } from './intake-fixture.ts';

const ANNA = Buffer.alloc(16, 0xaa);
const EVE = Buffer.alloc(16, 0xee);
const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 15_000, interval: 10 });

/** The checksums of a batch that follows these bytes. */
function checksumsAfter(before: string, batch: RecordBatch): { readonly checksums: ChecksumPair } {
  const start = extendChecksum(emptyChecksum(0), Buffer.from(before));
  return { checksums: { start, end: extendChecksum(start, batch.data) } };
}

/** A store whose appends wait until `release` is called. */
function waitingStore() {
  const store = new MemoryStore();
  let release = () => {};
  store.gate = new Promise((resolve) => {
    release = resolve;
  });
  return { store, release: () => release() };
}

/** Tests the contract of `src/aggregator/intake/intake.ts` with one kind of intake. */
export function intakeContract(fixture: IntakeFixture): void {
  test('accepts a batch after it is stored, not before', async () => {
    const { store, release } = waitingStore();
    const intake = await fixture.start(store, store);
    const sender = await intake.connect({ collectorId: ANNA });
    const batch = recordBatch(['one\n']);
    expect(await sender.open(batch.stream)).toMatchObject({ end: 0, refusal: '' });
    let answered = false;
    const answer = sender.send(batch).finally(() => {
      answered = true;
    });
    const other = mintStreamId();
    await sender.open(other);
    await settle();
    expect(answered).toBe(false);
    release();
    expect(await answer).toEqual({ kind: 'accepted' });
    expect(store.bytesOf(batch.stream).toString()).toBe('one\n');
  });

  test('refuses records that do not match their checksums, and stores none of them', async () => {
    const store = new MemoryStore();
    const intake = await fixture.start(store, store);
    const sender = await intake.connect({ collectorId: ANNA });
    const batch = recordBatch(['one\n']);
    await sender.open(batch.stream);
    const damaged = { ...batch, data: Buffer.from('onE\n') };
    expect(await sender.send(damaged, checksumsAfter('', batch))).toMatchObject({
      kind: 'refused',
      hasOtherBytes: false,
    });
    expect(store.batches).toHaveLength(0);
  });

  test('refuses other bytes, and accepts the right ones after the stream is opened again', async () => {
    const { queue } = await queueFixture();
    const intake = await fixture.start(queue, queue.ledger);
    const sender = await intake.connect({ collectorId: ANNA });
    const first = recordBatch(['one\n']);
    const next = recordBatch(['two\n'], { stream: first.stream, start: 4 });
    await sender.open(first.stream);
    expect(await sender.send(first, checksumsAfter('', first))).toEqual({ kind: 'accepted' });
    expect(await sender.send(next, checksumsAfter('eno\n', next))).toMatchObject({
      kind: 'refused',
      hasOtherBytes: true,
    });
    expect(await sender.open(first.stream)).toMatchObject({ end: 4, contiguousEnd: 4 });
    expect(await sender.send(next, checksumsAfter('one\n', next))).toEqual({ kind: 'accepted' });
    expect((await readAll(queue)).join('')).toBe('one\ntwo\n');
  });

  test('stores the bytes of overlapping batches once', async () => {
    const { queue } = await queueFixture();
    const intake = await fixture.start(queue, queue.ledger);
    const first = await intake.connect({ collectorId: ANNA });
    const whole = recordBatch(['one\n', 'two\n']);
    await first.open(whole.stream);
    await first.send(whole, checksumsAfter('', whole));
    const second = await intake.connect({ collectorId: ANNA });
    await second.open(whole.stream);
    const overlapping = recordBatch(['two\n', 'three\n'], { stream: whole.stream, start: 4 });
    const repeated = await second.send(overlapping, checksumsAfter('one\n', overlapping));
    expect(repeated).toEqual({ kind: 'accepted' });
    expect((await readAll(queue)).join('')).toBe('one\ntwo\nthree\n');
  });

  test('refuses the stream of another collector', async () => {
    const { queue } = await queueFixture();
    const intake = await fixture.start(queue, queue.ledger);
    const anna = await intake.connect({ collectorId: ANNA, certificate: 'anna' });
    const batch = recordBatch(['mine\n']);
    await anna.open(batch.stream);
    const eve = await intake.connect({ collectorId: EVE, certificate: 'eve' });
    const { refusal } = await eve.open(batch.stream);
    expect(refusal).toBe('the stream belongs to another collector');
    expect(await eve.send(batch)).toMatchObject({ kind: 'refused' });
    expect(await anna.send(batch)).toEqual({ kind: 'accepted' });
    expect((await readAll(queue)).join('')).toBe('mine\n');
  });

  test('ends a connection with the id of a connected collector and another certificate', async () => {
    const { queue } = await queueFixture();
    const intake = await fixture.start(queue, queue.ledger);
    const anna = await intake.connect({ collectorId: ANNA, certificate: 'anna' });
    const batch = recordBatch(['mine\n']);
    await anna.open(batch.stream);
    const eve = await intake.connect({ collectorId: ANNA, certificate: 'eve' });
    expect(await eve.ended).toBe('this collector id is connected with another certificate');
    expect(await anna.send(batch)).toEqual({ kind: 'accepted' });
  });

  test('stores nothing while the disk is full, and accepts the waiting batch when there is room', async () => {
    const store = new MemoryStore();
    const intake = await fixture.start(store, store);
    const sender = await intake.connect({ collectorId: ANNA });
    const batch = recordBatch(['one\n']);
    await sender.open(batch.stream);
    store.setStopped('the disk is nearly full');
    const answer = sender.send(batch);
    await until(() => expect(sender.busy).toBe('the disk is nearly full'));
    await settle();
    expect(store.batches).toHaveLength(0);
    store.setStopped(undefined);
    expect(await answer).toEqual({ kind: 'accepted' });
  });

  test('leaves a batch unanswered that cannot be stored, and accepts it when it is sent again', async () => {
    const store = new MemoryStore();
    const intake = await fixture.start(store, store);
    const sender = await intake.connect({ collectorId: ANNA });
    const batch = recordBatch(['one\n']);
    await sender.open(batch.stream);
    store.failure = 'write: no space left on device';
    expect(await sender.send(batch)).toEqual({ kind: 'unanswered' });
    expect(await sender.ended).toContain('no space left on device');
    store.failure = undefined;
    const again = await intake.connect({ collectorId: ANNA });
    expect(await again.open(batch.stream)).toMatchObject({ end: 0 });
    expect(await again.send(batch)).toEqual({ kind: 'accepted' });
  });

  test('gives two running instances of one collector no evidence for the bytes of each other', async () => {
    const { queue } = await queueFixture();
    const intake = await fixture.start(queue, queue.ledger);
    const batch = recordBatch(['one\n']);
    const first = await intake.connect({ collectorId: ANNA, instance: 1n });
    await first.open(batch.stream);
    const second = await intake.connect({ collectorId: ANNA, instance: 2n });
    expect(await first.ended).toBe('a newer call of this collector has begun');
    expect(await second.open(batch.stream)).toMatchObject({ end: 0 });
    await second.send(batch, checksumsAfter('', batch));
    const returned = await intake.connect({ collectorId: ANNA, instance: 1n });
    const { end, check } = await returned.open(batch.stream);
    expect(end).toBe(4);
    expect(check).not.toBe(checkOf(batch.data));
    const secondAgain = await intake.connect({ collectorId: ANNA, instance: 2n });
    expect((await secondAgain.open(batch.stream)).check).toBe(checkOf(batch.data));
  });

  test('answers the batches that wait for the disk before it stops', async () => {
    const { store, release } = waitingStore();
    const intake = await fixture.start(store, store);
    const sender = await intake.connect({ collectorId: ANNA });
    const batch = recordBatch(['one\n']);
    await sender.open(batch.stream);
    const answer = sender.send(batch);
    // The intake has read the batch when it has answered the request after it.
    await sender.open(mintStreamId());
    let hasStopped = false;
    const stopped = intake.stop(new AbortController().signal).then(() => {
      hasStopped = true;
    });
    await settle();
    expect(hasStopped).toBe(false);
    release();
    expect(await answer).toEqual({ kind: 'accepted' });
    expect(await sender.ended).toBe('shutting down');
    await stopped;
  });

  test('stops at the deadline without answering a batch that is not stored', async () => {
    const { store, release } = waitingStore();
    const intake = await fixture.start(store, store);
    const sender = await intake.connect({ collectorId: ANNA });
    const batch = recordBatch(['one\n']);
    await sender.open(batch.stream);
    const answer = sender.send(batch);
    await sender.open(mintStreamId());
    await intake.stop(AbortSignal.abort());
    expect(await answer).toEqual({ kind: 'unanswered' });
    release();
  });
}
