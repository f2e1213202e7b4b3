import { describe, expect, it } from 'vitest';
import { QueuePressure } from '../../../src/aggregator/notify/queue-pressure.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryNotifier } from '../../support/memory-notifier.ts';

function setUp() {
  const notifier = new MemoryNotifier();
  const clock = new FakeClock();
  const pressure = new QueuePressure(notifier, 1000, clock);
  const observe = (diskBytes: number) =>
    pressure.observe({
      diskBytes,
      waiting: [
        { emitter: 'file', bytes: 10 },
        { emitter: 'text', bytes: diskBytes },
      ],
    });
  return { notifier, clock, observe };
}

describe('QueuePressure', () => {
  it('pages at 80 % with the largest emitter and the time left', async () => {
    const { notifier, clock, observe } = setUp();
    observe(799);
    expect(notifier.triggers).toEqual([]);
    await clock.advance(60_000);
    observe(809);
    expect(notifier.triggers).toHaveLength(1);
    expect(notifier.triggers[0]).toMatchObject({
      incident: 'text/queue',
      details: {
        reason:
          'The queue is 80 % full and will be full in about 19 min; emitter text has the most undelivered data, 809 bytes.',
      },
    });
  });

  it('reports no time when the queue does not grow', async () => {
    const { notifier, clock, observe } = setUp();
    observe(900);
    await clock.advance(60_000);
    observe(900);
    expect(notifier.triggers.at(-1)?.details.reason).not.toContain('will be full');
  });

  it('resolves below 70 %', () => {
    const { notifier, observe } = setUp();
    observe(850);
    observe(750);
    expect(notifier.resolves).toEqual([]);
    observe(699);
    expect(notifier.resolves).toEqual(['text/queue']);
  });
});
