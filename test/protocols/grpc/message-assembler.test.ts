import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GRPC_STATUS } from '../../../src/protocols/grpc/grpc-status.ts';
import { MessageAssembler, messagePrefix } from '../../../src/protocols/grpc/message-assembler.ts';

function assembler(maxMessageBytes = 1_000) {
  const messages: Buffer[] = [];
  const sizes: number[] = [];
  const allocate = (bytes: number) => {
    sizes.push(bytes);
    return Buffer.alloc(bytes + 7, 0xaa);
  };
  const onMessage = (message: Buffer) => void messages.push(message);
  return { messages, sizes, it: new MessageAssembler({ maxMessageBytes, allocate, onMessage }) };
}

const framed = (message: Uint8Array) => Buffer.concat([messagePrefix(message.length), message]);

describe('messages', () => {
  it('are the same however their bytes are cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 });
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(messages, sizes, (written, cuts) => {
        const bytes = Buffer.concat(written.map(framed));
        const reader = assembler();
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1;
          const view = Buffer.from(bytes.subarray(at, at + size));
          expect(reader.it.receive(view)).toBeUndefined();
          // The memory of a view is reused.
          view.fill(0xee);
          at += size;
        }
        expect(reader.messages.map((message) => message.toString('hex'))).toEqual(
          written.map((message) => Buffer.from(message).toString('hex')),
        );
        expect(reader.sizes).toEqual(written.map(({ length }) => length));
        expect([reader.it.unfinishedBytes, reader.it.heldBytes]).toEqual([0, 0]);
      }),
    );
  });

  it('report the bytes of one that is not complete, and can be discarded', () => {
    const reader = assembler();
    reader.it.receive(Buffer.from([0, 0, 0]));
    expect([reader.it.unfinishedBytes, reader.it.heldBytes]).toEqual([3, 0]);
    reader.it.receive(Buffer.from([0, 10, 1, 2]));
    expect([reader.it.unfinishedBytes, reader.it.heldBytes]).toEqual([7, 10]);
    expect(reader.it.discard()).toHaveLength(10);
    expect([reader.it.unfinishedBytes, reader.it.heldBytes]).toEqual([0, 0]);
  });

  it.each([
    ['too large', messagePrefix(1_001), GRPC_STATUS.resourceExhausted],
    ['compressed', Buffer.from([1, 0, 0, 0, 1]), GRPC_STATUS.unimplemented],
    ['with unknown flags', Buffer.from([2, 0, 0, 0, 1]), GRPC_STATUS.internal],
  ])(
    'are refused when they are %s, before memory is allocated, with everything that follows',
    (_, prefix, code) => {
      const reader = assembler();
      const fault = reader.it.receive(
        Buffer.concat([framed(Buffer.from('first')), prefix, framed(Buffer.from('x'))]),
      );
      expect(fault?.code).toBe(code);
      expect(reader.messages.map(String)).toEqual(['first']);
      expect(reader.sizes).toEqual([5]);
      expect(reader.it.receive(framed(Buffer.from('x')))).toEqual(fault);
      expect(reader.messages).toHaveLength(1);
    },
  );
});
