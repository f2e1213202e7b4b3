import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkOf } from '../../src/records/check.ts';
import { PublishRequest } from '../../src/records/gen/megacollector/v1/aggregator.ts';
import { decodeRequest, encodeBatchRequest, encodeRequest } from '../../src/records/publish-codec.ts';
import { decodeRecordBatch } from '../../src/records/wire.ts';
import { arbitraryBatch } from '../support/arbitrary-batches.ts';

const hello: PublishRequest = {
  message: {
    $case: 'hello',
    value: {
      collectorId: Buffer.alloc(16, 1),
      instance: 7n,
      protocolVersion: 1,
      software: 'test',
      host: 'h',
    },
  },
};

describe('the messages of a Publish call', () => {
  const checksum = fc.record({ from: fc.maxSafeNat(), crc32: fc.nat({ max: 0xffff_ffff }) });

  it('carries the checksums of a batch, and reads them as the generated code does', () => {
    fc.assert(
      fc.property(arbitraryBatch, checksum, fc.nat({ max: 0xffff_ffff }), (batch, start, crc32) => {
        const checksums = { start, end: { from: start.from, crc32 } };
        const data = { compression: 'none', bytes: batch.data } as const;
        const message = encodeBatchRequest({
          sequence: 1,
          endCheck: checkOf(batch.data),
          checksums,
          batch,
          data,
        });
        expect(decodeRequest(message)).toMatchObject({ kind: 'batch', batch: { checksums } });
        expect(PublishRequest.decode(message).message?.value).toMatchObject({
          startChecksum: { from: BigInt(start.from), crc32: start.crc32 },
          endChecksum: { from: BigInt(start.from), crc32 },
        });
        const byGenerated = Buffer.from(PublishRequest.encode(PublishRequest.decode(message)).finish());
        expect(decodeRequest(byGenerated)).toMatchObject({ kind: 'batch', batch: { checksums } });
      }),
    );
  });

  it('carries a batch and its bytes', () => {
    fc.assert(
      fc.property(arbitraryBatch, fc.integer({ min: 1, max: 2 ** 40 }), (batch, sequence) => {
        const endCheck = checkOf(batch.data);
        const message = encodeBatchRequest({
          sequence,
          endCheck,
          batch,
          data: { compression: 'none', bytes: batch.data },
        });
        const decoded = decodeRequest(message);
        if (decoded.kind !== 'batch') throw new Error(`read as ${decoded.kind}`);
        expect(decoded.batch.sequence).toBe(sequence);
        expect(decoded.batch.endCheck).toBe(endCheck);
        expect(Buffer.compare(decodeRecordBatch(decoded.batch.records).data, batch.data)).toBe(0);

        const byGenerated = PublishRequest.decode(message);
        expect(byGenerated.message?.$case).toBe('batch');
        expect(decodeRequest(Buffer.from(PublishRequest.encode(byGenerated).finish())).kind).toBe('batch');
        if (byGenerated.message?.$case !== 'batch') return;
        expect(byGenerated.message.value.sequence).toBe(BigInt(sequence));
        expect(byGenerated.message.value.records?.recordSizes).toEqual([...batch.sizes]);
      }),
    );
  });

  it('carries everything else', () => {
    expect(decodeRequest(encodeRequest(hello))).toEqual({ kind: 'control', message: hello.message });
  });

  it('calls anything else invalid, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['batch', 'control', 'invalid']).toContain(decodeRequest(bytes).kind);
      }),
    );
    expect(decodeRequest(Buffer.alloc(0)).kind).toBe('invalid');
    expect(decodeRequest(Buffer.alloc(100_000, 0x0a)).kind).toBe('invalid');
  });
});
