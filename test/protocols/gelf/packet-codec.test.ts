import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GelfEncoder } from '../../../src/protocols/gelf/gelf-encoder.ts';
import { packetPresentation } from '../../../src/protocols/gelf/gelf-presentation.ts';
import { PacketCodec, type PacketCodecOptions } from '../../../src/protocols/gelf/packet-codec.ts';
import { GelfDatagramDecoder, type Json } from '../../support/gelf-decoder.ts';

const ID = Buffer.from('0123456789abcdef', 'hex');

function packetsOf(json: Uint8Array, options: PacketCodecOptions): readonly Uint8Array[] {
  const { packets } = new PacketCodec(options).encode(json);
  if (packets === undefined) throw new Error('too large');
  return packets;
}

/** A message of exactly this many bytes. */
function jsonOfLength(length: number): Buffer {
  const shell = '{"version":"1.1","host":"h","short_message":"","timestamp":1,"level":6}';
  const json = Buffer.from(shell.replace('""', `"${'x'.repeat(length - shell.length)}"`));
  expect(json.length).toBe(length);
  return json;
}

describe('chunking', () => {
  it('has the header of the known example', () => {
    const packets = packetsOf(jsonOfLength(1421), { compression: 'none', mintId: () => ID });
    expect(packets.map((packet) => packet.length)).toEqual([1420, 25]);
    expect(Buffer.from(packets[0] as Uint8Array).toString('hex', 0, 12)).toBe('1e0f0123456789abcdef0002');
    expect(Buffer.from(packets[1] as Uint8Array).toString('hex', 0, 12)).toBe('1e0f0123456789abcdef0102');
  });

  it.each([
    // A message of the datagram's size needs no chunk; one byte more needs two.
    [1420, 1],
    [1421, 2],
    [1408, 1],
    // Exact multiples: no empty last chunk.
    [2 * 1408, 2],
    [2 * 1408 + 1, 3],
    [127 * 1408, 127],
    [127 * 1408 + 1, 128],
    [128 * 1408, 128],
  ])('sends %d bytes as %d datagrams', (length, count) => {
    const json = jsonOfLength(length);
    const packets = packetsOf(json, { compression: 'none' });
    expect(packets).toHaveLength(count);
    expect(packets.slice(0, -1).every((packet) => packet.length === 1420)).toBe(true);
    expect(decodeAll(packets)).toEqual([JSON.parse(json.toString())]);
  });

  it('sends nothing of a message that needs 129 chunks', () => {
    const encoded = new PacketCodec({ compression: 'none' }).encode(jsonOfLength(128 * 1408 + 1));
    expect(encoded).toEqual({ packets: undefined, payloadBytes: 128 * 1408 + 1 });
  });

  it('draws a new random id for each message', () => {
    const codec = new PacketCodec({ compression: 'none' });
    const ids = Array.from({ length: 1_000 }, () => {
      const [first] = codec.encode(jsonOfLength(3_000)).packets ?? [];
      return Buffer.from(first as Uint8Array).toString('hex', 2, 10);
    });
    expect(new Set(ids).size).toBe(1_000);
  });

  it.each([12, 0, -1, 1.5, Number.NaN, 65_508])(
    'refuses datagrams of %d bytes at construction',
    (datagramBytes) => {
      expect(() => new PacketCodec({ datagramBytes })).toThrow(RangeError);
    },
  );
});

describe('compression', () => {
  it('is gzip by default, with neither time nor name', () => {
    const [packet] = packetsOf(jsonOfLength(1_000), {});
    expect(Buffer.from(packet as Uint8Array).toString('hex', 0, 9)).toMatch(/^1f8b0800000000/);
  });

  it('begins as zlib does', () => {
    const [packet] = packetsOf(jsonOfLength(1_000), { compression: 'zlib' });
    expect((packet as Uint8Array)[0]).toBe(0x78);
    expect(decodeAll([packet as Uint8Array])).toHaveLength(1);
  });

  it('does not compress short messages, and those that would grow', () => {
    const short = jsonOfLength(256);
    expect(packetsOf(short, {})).toEqual([short]);
    const noise = randomBytes(300);
    expect(packetsOf(noise, { compressionLevel: 1 })).toEqual([noise]);
  });
});

describe('any message', () => {
  const text = fc.string({ unit: 'binary', maxLength: 4_000 });
  const message = fc.record({
    shortMessage: text,
    fullMessage: text,
    fields: fc.dictionary(fc.string(), fc.oneof(text, fc.double(), fc.boolean()), { maxKeys: 8 }),
  });
  const options = fc.record({
    compression: fc.constantFrom('gzip', 'zlib', 'none'),
    datagramBytes: fc.integer({ min: 128, max: 2_000 }),
    compressionLevel: fc.integer({ min: 1, max: 9 }),
  }) as fc.Arbitrary<PacketCodecOptions>;

  it('decodes to the same in any order of arrival, mixed with another', () => {
    fc.assert(
      fc.property(
        message,
        message,
        options,
        fc.infiniteStream(fc.nat()),
        (one, other, codecOptions, order) => {
          const encoder = new GelfEncoder({ host: 'h', now: () => 1_000 });
          const codec = new PacketCodec(codecOptions);
          const presentation = packetPresentation(encoder, codec);
          const packets = [one, other].flatMap((given) => presentation.present(given)?.packets ?? []);
          const shuffled = packets
            .map((packet) => ({ packet, key: order.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ packet }) => packet);
          expect(packets.every((packet) => packet.length <= (codecOptions.datagramBytes ?? 0))).toBe(true);

          const expected = [one, other].map((given) => {
            const whole = encoder.encode(given, 1_000_000)?.json;
            return JSON.parse(String(whole)) as Json;
          });
          const decoded = decodeAll(shuffled);
          expect(decoded).toHaveLength(2);
          for (const [index, wanted] of expected.entries()) {
            // Too long for 128 chunks of this size: cut, but there.
            const cut = (presentation.present([one, other][index] as typeof one)?.cutBytes ?? 0) > 0;
            if (!cut) expect(decoded).toContainEqual(wanted);
          }
        },
      ),
    );
  });

  it('is cut until it fits into 128 chunks', () => {
    const noise = Array.from({ length: 60_000 }, (_, i) =>
      String.fromCodePoint(33 + (((i * i * 7919) % 90_000) % 55_000)),
    ).join('');
    const codec = new PacketCodec({ datagramBytes: 128 });
    const presented = packetPresentation(new GelfEncoder({ host: 'h' }), codec).present({
      shortMessage: 'short',
      fullMessage: noise,
    });
    expect(presented?.cutBytes).toBeGreaterThan(0);
    const packets = presented?.packets ?? [];
    expect(packets.length).toBeLessThanOrEqual(128);
    // Not cut to the quick: most of the capacity is used.
    expect(packets.length).toBeGreaterThan(64);
    const [decoded] = decodeAll(packets);
    expect(decoded?.short_message).toBe('short');
    expect(decoded?.full_message).toMatch(/bytes missing\]$/);
  });
});

function decodeAll(packets: readonly Uint8Array[]): Json[] {
  const decoder = new GelfDatagramDecoder();
  const messages = packets
    .map((packet) => decoder.receive(packet))
    .filter((message) => message !== undefined);
  expect(decoder.incomplete).toBe(0);
  return messages;
}
