import { describe, expect, it } from 'vitest';
import { guardedEmitter } from '../../../src/emitters/decorators/guarded-emitter.ts';
import { retry } from '../../../src/emitters/outcome.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { MemoryEmitter } from '../../support/memory-emitter.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

const never = new AbortController().signal;
const batch = batchOf([recordBatch(lines(4))]);

describe('a guarded emitter', () => {
  it.each(['emit', 'flush', 'committed', 'reopen'] as const)('logs a throw of %s', async (call) => {
    const environment = emitterEnvironment();
    const emitter = new MemoryEmitter();
    emitter[call] = () => {
      throw new TypeError('x is undefined');
    };
    const guarded = guardedEmitter(emitter, environment);
    const result = call === 'emit' ? guarded.emit(batch, never) : guarded[call]?.(never);
    const hasOutcome = call === 'emit' || call === 'flush';
    expect(await result).toEqual(hasOutcome ? retry('x is undefined') : undefined);
    expect(environment.logs).toMatchObject([{ level: 50, msg: 'Internal error: the emitter threw' }]);
  });

  it('ends quietly if the emitter has neither committed nor reopen', async () => {
    const environment = emitterEnvironment();
    const inner = new MemoryEmitter();
    const guarded = guardedEmitter(
      {
        start: () => inner.start(),
        emit: (...call) => inner.emit(...call),
        flush: (...call) => inner.flush(...call),
        stop: () => inner.stop(),
      },
      environment,
    );
    await guarded.committed?.();
    await guarded.reopen?.();
    expect(environment.logs).toEqual([]);
  });
});
