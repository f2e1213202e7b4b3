import { describe, expect, it } from 'vitest';
import type { JournalChannel } from '../../../src/collector/journal/journal-channel.ts';
import { StreamWakes } from '../../../src/collector/journal/stream-wakes.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function opened() {
  const clock = new FakeClock();
  const woken: string[] = [];
  const wakes = new StreamWakes(clock, ({ origin }) => woken.push(origin));
  const channel = (origin: string) => ({ origin, closed: false }) as JournalChannel;
  return { clock, woken, wakes, channel };
}

describe('the wakes of the publisher', () => {
  it('come at once for the first commit, and for the following ones together after 10 ms', async () => {
    const { clock, woken, wakes, channel } = opened();
    const [a, b] = [channel('a'), channel('b')];
    wakes.add(a, 100);
    wakes.add(a, 100);
    wakes.add(a, 100);
    wakes.add(b, 100);
    expect(woken).toEqual(['a', 'b']);
    await clock.advance(10);
    expect(woken).toEqual(['a', 'b', 'a']);
    wakes.add(a, 100);
    wakes.add(b, 100);
    expect(woken).toEqual(['a', 'b', 'a', 'b']);
    await clock.advance(10);
    expect(woken).toEqual(['a', 'b', 'a', 'b', 'a']);
    await clock.advance(20);
    wakes.add(a, 100);
    expect(woken).toEqual(['a', 'b', 'a', 'b', 'a', 'a']);
  });

  it('do not wait for a closed channel, nor after 256 KiB', () => {
    const { woken, wakes, channel } = opened();
    const [a, b] = [channel('a'), channel('b')];
    for (const each of [a, b]) wakes.add(each, 1);
    b.closed = true;
    wakes.add(b, 0);
    wakes.add(a, 256 * 1024 - 1);
    expect(woken).toEqual(['a', 'b', 'b']);
    wakes.add(a, 1);
    expect(woken).toEqual(['a', 'b', 'b', 'a']);
  });

  it('come at the stop for all that wait', async () => {
    const { clock, woken, wakes, channel } = opened();
    const a = channel('a');
    wakes.add(a, 1);
    wakes.add(a, 1);
    wakes.stop();
    expect(woken).toEqual(['a', 'a']);
    await clock.advance(100);
    expect(woken).toEqual(['a', 'a']);
  });
});
