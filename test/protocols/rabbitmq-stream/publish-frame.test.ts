import { describe, expect, test } from 'vitest';
import { FrameSplitter } from '../../../src/protocols/rabbitmq-stream/frame-splitter.ts';
import { STREAM_KEYS, streamFrame, text } from '../../../src/protocols/rabbitmq-stream/frames.ts';
import { framedRuns, publishFrame } from '../../../src/protocols/rabbitmq-stream/publish-frame.ts';

function messages(sizes: readonly number[]) {
  return sizes.map((size, index) => ({ publishingId: BigInt(index + 1), content: Buffer.alloc(size, 97) }));
}

describe('frames of the stream protocol', () => {
  test('are cut so that none is larger than the broker accepts', () => {
    const runs = [...framedRuns(messages([100, 100, 100, 700, 10]), 400)];
    expect(runs.map((run) => run.map(({ publishingId }) => publishingId))).toEqual([
      [1n, 2n, 3n],
      [4n],
      [5n],
    ]);
    for (const run of runs.slice(0, 1)) expect(publishFrame(0, run).length).toBeLessThanOrEqual(400);
  });

  test('are the same when the bytes arrive one by one', () => {
    const splitter = new FrameSplitter();
    const bytes = Buffer.concat([publishFrame(0, messages([3])), streamFrame(STREAM_KEYS.open, text('/'))]);
    const frames = Array.from(bytes, (byte) => splitter.push(Buffer.of(byte)) ?? []).flat();
    expect(frames.map(({ key }) => key)).toEqual([STREAM_KEYS.publish, STREAM_KEYS.open]);
    expect(frames[1]?.content).toEqual(text('/'));
  });

  test('are refused when the bytes are of another protocol', () => {
    expect(new FrameSplitter().push(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toBeUndefined();
  });
});
