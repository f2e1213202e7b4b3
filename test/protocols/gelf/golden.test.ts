import { describe, expect, it } from 'vitest';
import type { GelfMessage } from '../../../src/protocols/gelf/gelf-message.ts';
import { gelfPresentation } from '../../../src/protocols/gelf/gelf-presentation.ts';
import type { PacketCodecOptions } from '../../../src/protocols/gelf/packet-codec.ts';
import { type GoldenName, readGolden } from '../../../testkit/gelf-golden.ts';
import { GelfDatagramDecoder, type Json } from '../../support/gelf-decoder.ts';

const SHORT: GelfMessage = {
  host: 'example.org',
  shortMessage: 'hi',
  timestamp: 1385053862.3072,
  fields: { some_info: 'foo' },
};

const frames = Array.from(
  { length: 120 },
  (_, i) => `  at frame ${String(i).padStart(4, '0')} (module/file.ts:${i * 7})`,
);

const LONG: GelfMessage = {
  host: 'example.org',
  shortMessage: 'Grüße, it broke',
  fullMessage: ['Grüße, it broke', ...frames].join('\n'),
  timestamp: new Date(1385053862250),
  level: 'emergency',
  fields: { 'http.status': 500, retry: true, ratio: 0.5, id: 'kept' },
};

const mintId = () => Buffer.from('0123456789abcdef', 'hex');

function packets(message: GelfMessage, options: PacketCodecOptions): Buffer[] {
  const presented = gelfPresentation('packets', { mintId, ...options }).present(message);
  return (presented?.packets ?? []).map((packet) => Buffer.from(packet));
}

function decoded(datagrams: readonly Buffer[]): Json[] {
  const decoder = new GelfDatagramDecoder();
  return datagrams.map((datagram) => decoder.receive(datagram)).filter((message) => message !== undefined);
}

describe('byte for byte', () => {
  it.each([
    ['packet-plain', packets(SHORT, {})],
    ['packet-chunked', packets(LONG, { compression: 'none' })],
  ] as const)('%s', async (name, made) => {
    expect(made.map((packet) => packet.toString('hex'))).toEqual(
      (await readGolden(name)).map((line) => line.toString('hex')),
    );
  });

  it.each(['null', 'newline'] as const)('stream-%s', async (delimiter) => {
    const presentation = gelfPresentation('stream', { delimiter });
    const made = [SHORT, LONG].flatMap((message) => presentation.present(message)?.packets ?? []);
    const golden = await readGolden(`stream-${delimiter}`);
    expect(Buffer.concat(made).toString('hex')).toBe(Buffer.concat(golden).toString('hex'));
  });
});

describe('in content, if compressors differ', () => {
  it.each([
    ['packet-gzip', { compression: 'gzip' }],
    ['packet-zlib', { compression: 'zlib' }],
    ['packet-chunked-gzip', { compression: 'gzip', datagramBytes: 200 }],
  ] as const satisfies readonly [GoldenName, PacketCodecOptions][])('%s', async (name, options) => {
    const golden = await readGolden(name);
    const made = packets(LONG, options);
    expect(made[0]?.[0]).toBe(golden[0]?.[0]);
    expect(decoded(golden)).toHaveLength(1);
    expect(decoded(made)).toEqual(decoded(golden));
  });
});
