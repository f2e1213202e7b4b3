import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FLAG, FRAME, type FrameHeader } from '../../../src/protocols/http2/frame.ts';
import { FrameReader } from '../../../src/protocols/http2/frame-reader.ts';

interface ReadFrame extends FrameHeader {
  readonly length: number;
  readonly payload: string;
  readonly isLast: boolean;
}

/** Reads the chunks, and joins the parts of each DATA frame. */
function read(chunks: readonly Buffer[], maxDataBytes = 100_000): readonly ReadFrame[] {
  const frames: ReadFrame[] = [];
  let open: { header: FrameHeader; length: number; parts: Buffer[] } | undefined;
  const reader = new FrameReader(
    {
      frame: (header, payload) =>
        frames.push({ ...header, length: payload.length, payload: payload.toString('hex'), isLast: true }),
      unknownFrame: () =>
        frames.push({ type: 99, flags: 0, streamId: 0, length: 0, payload: '', isLast: true }),
      dataFrame: (header, length) => {
        open = { header, length, parts: [] };
      },
      data: (view, isLast) => {
        if (open === undefined) throw new Error('data without a frame');
        open.parts.push(Buffer.from(view));
        if (!isLast) return;
        const payload = Buffer.concat(open.parts).toString('hex');
        frames.push({ ...open.header, length: open.length, payload, isLast });
        open = undefined;
      },
    },
    maxDataBytes,
  );
  for (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    reader.read(copy);
    // The memory of a chunk is reused.
    copy.fill(0xee);
  }
  return frames;
}

function cut(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const padded = (data: Buffer, padding: number) =>
  Buffer.concat([Buffer.from([padding]), data, Buffer.alloc(padding)]);
const frameOf = (type: number, payload: Buffer, flags = 0, streamId = 1) =>
  encodeFrame({ type, flags, streamId }, payload);

describe('frames', () => {
  const arbitraryFrame = fc.record({
    type: fc.integer({ min: 0, max: 12 }),
    streamId: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    padding: fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined }),
  });

  it('are the same however their bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryFrame, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
        (written, sizes) => {
          const bytes = Buffer.concat(
            written.map(({ type, streamId, payload, padding }) =>
              type === FRAME.data && padding !== undefined
                ? frameOf(type, padded(payload, padding), FLAG.padded, streamId)
                : frameOf(type, payload, 0, streamId),
            ),
          );
          const expected = written.map(({ type, streamId, payload, padding }) => {
            if (type > FRAME.continuation) return { type: 99, payload: '' };
            const extra = type === FRAME.data && padding !== undefined ? padding + 1 : 0;
            return { type, streamId, length: payload.length + extra, payload: payload.toString('hex') };
          });
          expect(read([bytes])).toMatchObject(expected);
          expect(read(cut(bytes, [1]))).toMatchObject(expected);
          expect(read(cut(bytes, sizes))).toMatchObject(expected);
        },
      ),
    );
  });

  it('pass DATA on as views of the chunk', () => {
    const views: Buffer[] = [];
    const reader = new FrameReader(
      { frame() {}, unknownFrame() {}, dataFrame() {}, data: (view) => void views.push(view) },
      100_000,
    );
    const bytes = frameOf(FRAME.data, Buffer.from('payload'));
    reader.read(bytes);
    expect(views[0]?.buffer).toBe(bytes.buffer);
  });

  it.each([
    ['HEADERS of more than 16 KiB', Buffer.concat([Buffer.from([0, 0x40, 1, 1, 4, 0, 0, 0, 1])])],
    ['DATA of more than the limit', Buffer.from([0x01, 0x86, 0xa1, 0, 0, 0, 0, 0, 1])],
    ['an unknown frame of more than the limit', Buffer.from([0x01, 0x86, 0xa1, 77, 0, 0, 0, 0, 1])],
  ])('are refused for %s, before their payload', (_, head) => {
    expect(() => read([head])).toThrow('exceeds the limit');
  });

  it.each([
    ['no byte for its length', frameOf(FRAME.data, Buffer.alloc(0), FLAG.padded)],
    ['more than the frame', frameOf(FRAME.data, Buffer.from([4, 1, 2, 3]), FLAG.padded)],
  ])('are refused for padding with %s', (_, frame) => {
    expect(() => read([frame])).toThrow('padding');
  });

  it('are not read after a stop', () => {
    let count = 0;
    const reader: FrameReader = new FrameReader(
      {
        frame: () => {
          count++;
          reader.stop();
        },
        unknownFrame() {},
        dataFrame() {},
        data() {},
      },
      100_000,
    );
    reader.read(Buffer.concat([frameOf(FRAME.ping, Buffer.alloc(8)), frameOf(FRAME.ping, Buffer.alloc(8))]));
    expect(count).toBe(1);
  });
});
