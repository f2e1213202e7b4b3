import { describe, expect, it } from 'vitest';
import { PublishedStream } from '../../../src/collector/publisher/published-stream.ts';
import { ReadyStreams } from '../../../src/collector/publisher/ready-streams.ts';
import { MemoryStream } from '../../support/memory-stream.ts';

function quiet(): PublishedStream {
  return new PublishedStream(new MemoryStream());
}

function busy(): PublishedStream {
  const stream = quiet();
  stream.unanswered.sent({ sequence: 1, start: 0, end: 1 });
  return stream;
}

function readyStreams(...streams: readonly PublishedStream[]): ReadyStreams {
  const ready = new ReadyStreams();
  for (const stream of streams) ready.add(stream);
  return ready;
}

describe('ReadyStreams', () => {
  it('returns each stream once, in the order of arrival', () => {
    const [a, b, c] = [busy(), busy(), busy()] as const;
    const ready = readyStreams(a, b, a, c);
    expect([ready.take(), ready.take(), ready.take(), ready.take()]).toEqual([a, b, c, undefined]);
  });

  it('returns a stream without unanswered batches before the busy ones', () => {
    const [a, b, late] = [busy(), busy(), quiet()] as const;
    const ready = readyStreams(a, b, late);
    expect(ready.take()).toBe(late);
    expect(ready.take()).toBe(a);
  });

  it('returns a busy stream after eight quiet ones', () => {
    const one = busy();
    const ready = readyStreams(one, ...Array.from({ length: 100 }, quiet));
    const order = Array.from({ length: 18 }, () => ready.take() === one);
    expect(order.indexOf(true)).toBe(8);
    ready.add(one);
    const later = Array.from({ length: 18 }, () => ready.take() === one);
    expect(later).toContain(true);
  });

  it('keeps the place of a stream that is added again after its batches were answered', () => {
    const [a, b] = [busy(), busy()] as const;
    const ready = readyStreams(a, b);
    b.unanswered.accepted(1);
    ready.add(b);
    expect([ready.take(), ready.take(), ready.take()]).toEqual([a, b, undefined]);
  });
});
