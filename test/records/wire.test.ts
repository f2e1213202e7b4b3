import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressLz4 } from '../../src/records/compression.ts';
import { RecordBatch as WireRecordBatch } from '../../src/records/gen/megacollector/v1/aggregator.ts';
import { LIMITS } from '../../src/records/limits.ts';
import type { RecordBatch } from '../../src/records/record-batch.ts';
import { decodeRecordBatch, encodeRecordBatch, encodeRecordBatchHead } from '../../src/records/wire.ts';
import { WireError } from '../../src/records/wire-error.ts';
import { arbitraryBatch } from '../support/arbitrary-batches.ts';
import { recordBatch } from '../support/record-batches.ts';

/** The same message by the generated code: the other party to compare with. */
function generated(batch: RecordBatch, changes: Partial<WireRecordBatch> = {}): Buffer {
  const message: WireRecordBatch = {
    stream: Buffer.from(batch.stream, 'hex'),
    start: BigInt(batch.start),
    resource: new Map(batch.resource),
    format: batch.format,
    observedTimeUnixNano: batch.observedTimeUnixNano,
    recordSizes: [...batch.sizes],
    markedRecords: batch.marks.map(({ index }) => index),
    marks: batch.marks.map(({ mark }) => (mark === 'cut' ? 1 : 2)),
    compression: 0,
    dataSize: batch.data.length,
    data: Buffer.from(batch.data),
    peers: (batch.peers ?? []).map((peer) => ({ attributes: new Map(peer) })),
    recordPeers: [...(batch.recordPeers ?? [])],
    ...changes,
  };
  return Buffer.from(WireRecordBatch.encode(message).finish());
}

const plain = (batch: RecordBatch) => ({ ...batch, data: Buffer.from(batch.data).toString('latin1') });

describe('the RecordBatch codec', () => {
  it('decodes its own encoding', () => {
    fc.assert(
      fc.property(arbitraryBatch, (batch) => {
        expect(plain(decodeRecordBatch(encodeRecordBatch(batch)))).toEqual(plain(batch));
      }),
    );
  });

  it('decodes the encoding of the generated code', () => {
    fc.assert(
      fc.property(arbitraryBatch, (batch) => {
        expect(plain(decodeRecordBatch(generated(batch)))).toEqual(plain(batch));
      }),
    );
  });

  it('is read by the generated code', () => {
    fc.assert(
      fc.property(arbitraryBatch, (batch) => {
        expect(WireRecordBatch.decode(encodeRecordBatch(batch))).toEqual(
          WireRecordBatch.decode(generated(batch)),
        );
      }),
    );
  });

  it.each([
    ['a number without a peer', { peers: [{ attributes: new Map() }], recordPeers: [0, 2] }],
    ['fewer numbers than records', { peers: [{ attributes: new Map() }], recordPeers: [1] }],
    ['more numbers than records', { peers: [{ attributes: new Map() }], recordPeers: [1, 1, 0, 0, 1] }],
    ['too many peers', { peers: Array.from({ length: 4097 }, () => ({ attributes: new Map() })) }],
    ['peers that are too large', { peers: [{ attributes: new Map([['a', 'x'.repeat(300_000)]]) }] }],
  ])('rejects a peer column with %s', (_what, changes) => {
    const bytes = generated(recordBatch(['a', 'b']), changes);
    expect(() => decodeRecordBatch(bytes)).toThrow(WireError);
  });

  it('inflates LZ4', () => {
    fc.assert(
      fc.property(arbitraryBatch, (batch) => {
        const bytes = compressLz4(batch.data);
        const encoded = Buffer.concat([encodeRecordBatchHead(batch, { compression: 'lz4', bytes }), bytes]);
        expect(plain(decodeRecordBatch(encoded))).toEqual(plain(batch));
      }),
    );
  });

  it('never throws anything but WireError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeRecordBatch(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });

  it('never throws anything but WireError when a message is cut off or a byte is changed', () => {
    fc.assert(
      fc.property(arbitraryBatch, fc.nat(), fc.nat(255), fc.boolean(), (batch, at, value, cut) => {
        const bytes = encodeRecordBatch(batch);
        const index = at % bytes.length;
        bytes[index] = value;
        try {
          decodeRecordBatch(cut ? bytes.subarray(0, index) : bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });
});

describe('invalid messages', () => {
  const batch = recordBatch(['hello\n', 'world\n']);

  it.each<[string, Partial<WireRecordBatch>, RegExp]>([
    ['no records', { recordSizes: [], dataSize: 0, data: Buffer.alloc(0) }, /no records/],
    ['an empty record', { recordSizes: [6, 0, 6] }, /no bytes/],
    ['sizes that do not add up', { recordSizes: [6, 5] }, /add up to 11/],
    ['too many records', { recordSizes: Array<number>(65_537).fill(1) }, /65537 records/],
    ['a record over the limit', { recordSizes: [LIMITS.recordBytes + 1] }, /a record has 1048577 bytes/],
    ['a size that overflows 32 bits', { recordSizes: [0xffff_ffff] }, /out of range/],
    ['data_size over the limit', { dataSize: LIMITS.batchBytes + 1 }, /data_size/],
    ['data that is not as long as it says', { data: Buffer.from('hello\n') }, /data has 6 bytes/],
    ['a stream id of 15 bytes', { stream: Buffer.alloc(15) }, /got 15/],
    ['a start beyond 2^53', { start: 2n ** 60n }, /out of range/],
    ['an end beyond 2^53', { start: 2n ** 53n - 2n }, /out of range/],
    ['an unknown compression', { compression: 7 as 0 }, /compression 7/],
    [
      'a block that is no LZ4',
      { compression: 1, data: Buffer.from([12, 0, 0, 0, 255, 255, 255]) },
      /damaged/,
    ],
    [
      'a block that inflates to 4 GiB',
      { compression: 1, data: Buffer.from([255, 255, 255, 255, 1, 2, 3]) },
      /claims 4294967295/,
    ],
    ['a mark behind the last record', { markedRecords: [2], marks: [1] }, /not ascending/],
    ['marks out of order', { markedRecords: [1, 0], marks: [1, 1] }, /not ascending/],
    ['a mark too few', { markedRecords: [0], marks: [] }, /fewer marks/],
    ['a mark too many', { markedRecords: [], marks: [1] }, /more marks/],
    [
      '65 resource entries',
      { resource: new Map(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])) },
      /64 entries/,
    ],
    ['a resource of 17 KiB', { resource: new Map([['k', 'v'.repeat(17 * 1024)]]) }, /larger than 16384/],
    ['a long format name', { format: 'f'.repeat(65) }, /name of the format/],
  ])('refuses %s', (_, changes, message) => {
    expect(() => decodeRecordBatch(generated(batch, changes))).toThrow(message);
    expect(() => decodeRecordBatch(generated(batch, changes))).toThrow(WireError);
  });

  it('accepts a batch exactly at the limits', () => {
    const sizes = new Uint32Array(65_536).fill(64);
    const full = { ...batch, sizes, data: new Uint8Array(LIMITS.batchBytes) };
    expect(decodeRecordBatch(encodeRecordBatch(full)).sizes.length).toBe(65_536);
  });

  it('passes over fields of a later version', () => {
    const later = Buffer.concat([encodeRecordBatch(batch), Buffer.from([0xfa, 0x01, 2, 7, 7])]);
    expect(plain(decodeRecordBatch(later))).toEqual(plain(batch));
  });

  it('knows no prototype', () => {
    const decoded = decodeRecordBatch(generated(batch, { resource: new Map([['__proto__', 'x']]) }));
    expect(decoded.resource.get('__proto__')).toBe('x');
  });
});
