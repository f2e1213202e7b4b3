import { describe, expect, it } from 'vitest';
import { identityStage, stagedEmitter } from '../../../src/emitters/decorators/staged-emitter.ts';
import { DELIVERED, rejected } from '../../../src/emitters/outcome.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { MemoryEmitter } from '../../support/memory-emitter.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { withoutRecords } from '../../support/without-records.ts';

const never = new AbortController().signal;
const batch = batchOf([recordBatch(lines(4))]);

describe('a staged emitter', () => {
  it('is the emitter itself for the identity', () => {
    const emitter = new MemoryEmitter();
    expect(stagedEmitter(identityStage)(emitter)).toBe(emitter);
  });

  it('emits the records that the stage returns', async () => {
    const emitter = new MemoryEmitter();
    expect(await stagedEmitter(withoutRecords('line 1'))(emitter).emit(batch, never)).toEqual(DELIVERED);
    expect(emitter.emits).toEqual([['line 0\n', 'line 2\n', 'line 3\n']]);
  });

  it('names rejected records by their indexes in the original batch', async () => {
    const emitter = new MemoryEmitter();
    emitter.onEmit = () => rejected('bad', [1, 2]);
    expect(await stagedEmitter(withoutRecords('line 1'))(emitter).emit(batch, never)).toEqual(
      rejected('bad', [2, 3]),
    );
    emitter.onEmit = () => rejected('bad');
    expect(await stagedEmitter(withoutRecords('line 1'))(emitter).emit(batch, never)).toEqual(
      rejected('bad'),
    );
  });

  it('does not call the emitter if no record is left', async () => {
    const emitter = new MemoryEmitter();
    const outcome = await stagedEmitter(withoutRecords('line'))(emitter).emit(batch, never);
    expect(outcome).toEqual({ kind: 'delivered', isSkipped: true });
    expect(emitter.emits).toEqual([]);
  });
});
