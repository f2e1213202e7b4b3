import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Emitter, EmitterEnvironment, EmitterState, EmitterType } from '../../src/emitters/emitter.ts';
import { formats } from '../../src/formats/registry.ts';
import { batchOf } from '../../src/records/batch.ts';
import { LIMITS } from '../../src/records/limits.ts';
import { type RecordBatch, sliceRecords } from '../../src/records/record-batch.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { emitterEnvironment } from '../support/emitter-environment.ts';
import { lines, recordBatch } from '../support/record-batches.ts';
import type { Destination, EmitterFixture } from './emitter-fixture.ts';

/** Creates an emitter from its configuration: directly, or with a wrapper. */
export type MakeEmitter = (
  type: EmitterType,
  configuration: unknown,
  environment: EmitterEnvironment,
) => Emitter | Promise<Emitter>;

const never = new AbortController().signal;
const soon = () => AbortSignal.timeout(5000);

/** Tests the contract of `src/emitters/emitter.ts` with one emitter type. */
export function emitterContract(type: EmitterType, fixture: EmitterFixture, make: MakeEmitter): void {
  /** A started emitter for a destination. */
  async function started(destination: Destination, state?: EmitterState): Promise<Emitter> {
    const emitter = await created(destination, state);
    await emitter.start();
    return emitter;
  }

  async function created({ value, stdout }: Destination, state?: EmitterState): Promise<Emitter> {
    const [configured] = type.parse(value);
    if (configured === undefined) throw new Error('The fixture configures no emitter.');
    const environment = emitterEnvironment({
      name: configured.name,
      state,
      // The destinations are real, so their timing varies.
      clock: systemClock,
      ...(stdout && { stdout }),
    });
    const emitter = await make(type, configured.configuration, environment);
    onTestFinished(() => emitter.stop(soon()));
    return emitter;
  }

  /** Emits one batch, flushes and commits; returns the state. */
  async function deliver(
    emitter: Emitter,
    slices: readonly RecordBatch[],
  ): Promise<EmitterState | undefined> {
    expect(await emitter.emit(batchOf(slices), never)).toEqual({ kind: 'delivered' });
    return flushed(emitter);
  }

  async function flushed(emitter: Emitter): Promise<EmitterState | undefined> {
    const outcome = await emitter.flush(never);
    expect(outcome.kind).toBe('delivered');
    await emitter.committed?.();
    return outcome.kind === 'delivered' && outcome.state !== undefined
      ? (JSON.parse(JSON.stringify(outcome.state)) as EmitterState)
      : undefined;
  }

  /** A receiver on a socket may receive the records slightly later. */
  async function arrived(
    destination: Destination,
    verify: (bodies: readonly string[]) => void,
  ): Promise<void> {
    if (destination.bodies === undefined) return;
    await vi.waitFor(async () => verify((await destination.bodies?.()) ?? []), {
      timeout: 10_000,
      interval: 20,
    });
  }

  /** The delivered records, if the destination can list them. */
  async function expectBodies(destination: Destination, expected: readonly string[]): Promise<void> {
    const ordered = (bodies: readonly string[]) =>
      destination.hasNoOrder === true ? bodies.toSorted() : bodies;
    await arrived(destination, (bodies) => expect(ordered(bodies)).toEqual(ordered(expected)));
  }

  const bodiesOf = (records: readonly string[]) => records.map((record) => record.trimEnd());

  describe('configuration', () => {
    test('has an example that configures an emitter named after its type', () => {
      expect(type.variable).toMatch(/^AGGREGATOR_[A-Z]+_CONFIGURATION$/);
      const configured = type.parse(type.example);
      expect(configured.length).toBeGreaterThan(0);
      expect(configured[0]).toMatchObject({ name: type.type, start: 'oldest' });
    });
  });

  describe('delivers after emit and flush', () => {
    test('a whole batch, in order', async () => {
      const destination = await fixture.open();
      const records = lines(100);
      await deliver(await started(destination), [recordBatch(records)]);
      await expectBodies(destination, bodiesOf(records));
    });

    test('slices of one batch, in several batches', async () => {
      const destination = await fixture.open();
      const records = lines(10);
      const whole = recordBatch(records);
      const emitter = await started(destination);
      for (const [from, to] of [
        [0, 3],
        [3, 4],
        [4, 10],
      ] as const) {
        expect(await emitter.emit(batchOf([sliceRecords(whole, from, to)]), never)).toEqual({
          kind: 'delivered',
        });
      }
      await flushed(emitter);
      await expectBodies(destination, bodiesOf(records));
    });

    if (type.returnsRecords === true) {
      test('records whose memory is overwritten after the commit', async () => {
        const destination = await fixture.open();
        const emitter = await started(destination);
        const records = lines(20);
        for (const slice of [recordBatch(records.slice(0, 10)), recordBatch(records.slice(10))]) {
          expect(await emitter.emit(batchOf([slice]), never)).toEqual({ kind: 'delivered' });
          expect((await emitter.flush(never)).kind).toBe('delivered');
          slice.data.fill(0xff);
          await emitter.committed?.();
        }
        await expectBodies(destination, bodiesOf(records));
      });
    }

    test('records of several streams, some incomplete, separately', async () => {
      const destination = await fixture.open();
      await deliver(await started(destination), [
        recordBatch(['one\n', 'two'], { marks: [{ index: 1, mark: 'unterminated' }] }),
        recordBatch(['three', 'four\n'], { marks: [{ index: 0, mark: 'cut' }] }),
        recordBatch(['five']),
      ]);
      await expectBodies(destination, ['one', 'two', 'three', 'four', 'five']);
    });

    test('records without a resource', async () => {
      const destination = await fixture.open();
      await deliver(await started(destination), [recordBatch(['alone\n'], { resource: new Map() })]);
      await expectBodies(destination, ['alone']);
    });

    test('records of an unknown format', async () => {
      const destination = await fixture.open();
      await deliver(await started(destination), [recordBatch(['new\n'], { format: 'from-the-future' })]);
      await expectBodies(destination, ['new']);
    });

    test.each(formats.map(({ name }) => name))(
      'records that are invalid in their format: %s',
      async (format) => {
        const destination = await fixture.open();
        const emitter = await started(destination);
        await deliver(emitter, [recordBatch(['{"a":\n', Uint8Array.of(0, 255, 254, 10)], { format })]);
        await arrived(destination, (bodies) => expect(bodies.length).toBeGreaterThan(0));
      },
    );

    test('bytes that are not UTF-8', async () => {
      const destination = await fixture.open();
      await deliver(await started(destination), [
        recordBatch([Uint8Array.of(0x61, 0xff, 0x62, 0x0a), 'next\n']),
      ]);
      await expectBodies(destination, ['a\ufffdb', 'next']);
    });

    test('a batch with the maximum number of records', async () => {
      const destination = await fixture.open();
      const records = lines(LIMITS.batchRecords);
      await deliver(await started(destination), [recordBatch(records)]);
      await arrived(destination, (bodies) => {
        expect(bodies.length).toBe(records.length);
        expect(bodies.at(-1)).toBe(records.at(-1)?.trimEnd());
      });
    });

    test('records of the maximum size', async () => {
      const destination = await fixture.open();
      const record = `${'x'.repeat(LIMITS.recordBytes - 1)}\n`;
      await deliver(await started(destination), [recordBatch([record, record, record])]);
      await arrived(destination, (bodies) => expect(bodies.length).toBe(3));
    });

    test('nothing if nothing was emitted', async () => {
      const emitter = await started(await fixture.open());
      await flushed(emitter);
    });
  });

  describe('lifecycle', () => {
    test('can be stopped before start, and twice', async () => {
      const destination = await fixture.open();
      await (await created(destination)).stop(soon());
      const emitter = await started(destination);
      await emitter.stop(soon());
      await emitter.stop(soon());
    });

    test('stops immediately after the deadline', async () => {
      const emitter = await started(await fixture.open());
      await emitter.emit(batchOf([recordBatch(lines(3))]), never);
      await emitter.stop(AbortSignal.abort());
    });

    test('returns an outcome when the signal is aborted', async () => {
      const emitter = await started(await fixture.open());
      const outcome = await emitter.emit(batchOf([recordBatch(lines(3))]), AbortSignal.abort());
      expect(['delivered', 'retry']).toContain(outcome.kind);
    });

    test('continues from the committed state after a restart; uncommitted records are emitted again', async () => {
      const destination = await fixture.open();
      const first = await started(destination);
      const state = await deliver(first, [recordBatch(['a\n', 'b\n'])]);
      await first.emit(batchOf([recordBatch(['c\n', 'd\n'])]), never);
      await first.stop(soon());

      const second = await started(destination, state);
      await deliver(second, [recordBatch(['c\n', 'd\n'])]);
      await arrived(destination, (bodies) => {
        const each = type.guarantee === 'exactly-once' ? bodies : [...new Set(bodies)];
        const found = destination.hasNoOrder === true ? each.toSorted() : each;
        expect(found).toEqual(['a', 'b', 'c', 'd']);
      });
    });

    test('can be reopened at any time', async () => {
      const destination = await fixture.open();
      const emitter = await started(destination);
      await emitter.reopen?.();
      await emitter.emit(batchOf([recordBatch(['a\n'])]), never);
      await emitter.reopen?.();
      await flushed(emitter);
      await emitter.reopen?.();
      await deliver(emitter, [recordBatch(['b\n'])]);
      await expectBodies(destination, ['a', 'b']);
    });

    test('delivers in a later attempt after the destination refused records', async () => {
      const destination = await fixture.open();
      if (destination.refuse === undefined) return;
      const accept = await destination.refuse();
      const emitter = await started(destination);
      const outcome = await emitter.emit(batchOf([recordBatch(['refused\n'])]), never);
      const end = outcome.kind === 'delivered' ? await emitter.flush(never) : outcome;
      expect(end).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/\w/) });
      await accept();
      await deliver(emitter, [recordBatch(['accepted\n'])]);
      await expectBodies(destination, ['accepted']);
    });
  });
}
