import { describe, expect, it } from 'vitest';
import { measuredEmitter } from '../../../src/emitters/decorators/measured-emitter.ts';
import { DELIVERED, retry } from '../../../src/emitters/outcome.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryEmitter } from '../../support/memory-emitter.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

const never = new AbortController().signal;
const batch = batchOf([recordBatch(lines(4))]);

describe('a measured emitter', () => {
  it('observes the duration of each emit, with any outcome', async () => {
    const clock = new FakeClock();
    const environment = emitterEnvironment({ clock });
    const emitter = new MemoryEmitter();
    emitter.onEmit = async () => {
      await clock.sleep(300);
      if (emitter.emits.length === 3) throw new Error('fault');
      return emitter.emits.length === 2 ? retry('later') : DELIVERED;
    };
    const measured = measuredEmitter(emitter, environment);
    for (let i = 0; i < 3; i++) {
      const emitted = measured.emit(batch, never).catch(() => undefined);
      await clock.advance(300);
      await emitted;
    }
    const text = await environment.metrics.metrics();
    expect(text).toContain('aggregator_emitter_delivery_duration_seconds_count{emitter="test"} 3');
    expect(text).toContain('aggregator_emitter_delivery_duration_seconds_bucket{le="0.5",emitter="test"} 3');
    expect(text).toContain('aggregator_emitter_delivery_duration_seconds_bucket{le="0.1",emitter="test"} 0');
  });
});
