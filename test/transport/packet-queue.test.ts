import { describe, expect, it } from 'vitest';
import type { OutletEvent } from '../../src/transport/outlet.ts';
import { PacketQueue, type PacketQueueOptions } from '../../src/transport/packet-queue.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { MemoryTransport } from '../support/memory-transport.ts';

function inMemory(options: PacketQueueOptions = {}) {
  const clock = new FakeClock();
  const transport = new MemoryTransport();
  const events: OutletEvent[] = [];
  const queue = new PacketQueue(transport, { clock, onEvent: (event) => events.push(event), ...options });
  return { clock, transport, queue, events };
}

const packets = (count: number) => Array.from({ length: count }, (_, index) => Buffer.from([index]));

describe('packets', () => {
  it('go in order, sixteen at once and then a pause', async () => {
    const { clock, transport, queue } = inMemory();
    queue.write(packets(40));
    for (const sent of [16, 32, 40]) {
      await settle();
      await settle();
      await settle();
      await settle();
      expect(transport.packets).toHaveLength(sent);
      await clock.advance(1);
    }
    expect(transport.packets.map(([index]) => index)).toEqual(
      Array.from({ length: 40 }, (_, index) => index),
    );
    expect(queue.counters).toMatchObject({ sent: 1, sentBytes: 40 });
  });

  it('are sent without pauses if so configured', async () => {
    const { transport, queue } = inMemory({ pacing: { burst: 0 } });
    queue.write(packets(128));
    expect(await queue.flush()).toBe(true);
    expect(transport.packets).toHaveLength(128);
  });

  it('that fail are dropped with the rest of their message, and the next message goes', async () => {
    const { transport, queue, events } = inMemory();
    transport.failWith = { reason: 'no buffer' };
    queue.write(packets(3));
    expect(await queue.flush()).toBe(false);
    transport.failWith = undefined;
    queue.write(packets(2));
    expect(await queue.flush()).toBe(true);
    expect(queue.counters).toMatchObject({ sent: 1, failures: 1, dropped: { failed: 1 } });
    expect(events.map(({ kind }) => kind)).toEqual(['failed', 'dropped']);
  });

  it('without a listener are reported later', async () => {
    const { transport, queue, events } = inMemory();
    transport.lateFailure = { reason: 'nothing is listening' };
    queue.write(packets(1));
    expect(await queue.flush()).toBe(true);
    expect(events).toMatchObject([{ kind: 'failed', reason: 'nothing is listening' }]);
  });
});

describe('closing', () => {
  it('sends queued packets, or drops them at the deadline', async () => {
    const { transport, queue } = inMemory();
    queue.write(packets(2));
    await queue.close(new AbortController().signal);
    expect(transport.packets).toHaveLength(2);
    expect(queue.write(packets(1))).toBe(false);

    const held = inMemory();
    held.transport.hold = true;
    held.queue.write(packets(2));
    held.queue.write(packets(2));
    await held.queue.close(AbortSignal.abort());
    held.transport.hold = false;
    await settle();
    expect(held.queue.counters).toMatchObject({ sent: 0, dropped: { closed: 2 }, queued: 0, queuedBytes: 0 });
    expect(held.transport.packets.length).toBeLessThanOrEqual(1);
  });
});
