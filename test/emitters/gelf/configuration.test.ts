import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gelfShape, parseGelfConfiguration } from '../../../src/emitters/gelf/configuration.ts';
import { gelfType } from '../../../src/emitters/gelf/type.ts';
import { ConfigurationError } from '../../../src/runtime/configuration/configuration-error.ts';
import { schemaOptions } from '../../../src/runtime/configuration/schema-options.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----';

function problemsOf(value: unknown): Record<string, string> {
  try {
    parseGelfConfiguration(JSON.stringify(value));
    return {};
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return Object.fromEntries(
      error.problems.map(({ variable, message }) => [
        variable.replace('AGGREGATOR_GELF_CONFIGURATION', ''),
        message,
      ]),
    );
  }
}

describe('a configuration', () => {
  it('requires only an address', () => {
    expect(parseGelfConfiguration('{"address": "udp://graylog.example"}')).toEqual([
      {
        name: 'gelf',
        start: 'oldest',
        configuration: {
          address: { kind: 'udp', host: 'graylog.example', port: 12_201 },
          max_message_bytes: 2_000_000,
          timeout: 10_000,
          level: 6,
          booleans: 'string',
          objects: 'flatten',
        },
      },
    ]);
    expect(gelfType.parse(gelfType.example)).toHaveLength(1);
  });

  it('accepts every option', () => {
    const udp = {
      address: 'udp://[::1]:1',
      compression: 'zlib',
      compression_level: 9,
      chunk_size: 8192,
      burst: 0,
      burst_pause: '2ms',
    };
    const tls = {
      name: 'other',
      address: 'tls://x:1',
      ca: PEM.replaceAll('\n', '\\n'),
      certificate_file: '/c',
      key_file: '/k',
      server_name: 'y',
      delimiter: 'newline',
      timeout: '1m',
      level: 'warn',
      max_message_bytes: '1MiB',
    };
    const [first, second] = parseGelfConfiguration(JSON.stringify([udp, tls]));
    expect(first?.configuration).toMatchObject({
      compression: 'zlib',
      chunk_size: 8192,
      burst: 0,
      burst_pause: 2,
    });
    expect(second?.configuration).toMatchObject({
      ca: PEM,
      timeout: 60_000,
      level: 4,
      max_message_bytes: 1_048_576,
    });
  });

  it('has all its problems reported at once', () => {
    const wrong = {
      address: 'http://x',
      compression: 'lz4',
      chunk_size: 12,
      delimiter: 'crlf',
      timeout: '-1s',
      level: 'loud',
      max_message_bytes: 3,
      ca: '/etc/ca.pem',
      adress: 'x',
    };
    expect(problemsOf(wrong)).toMatchObject({
      '.address': 'expected udp://host:port, tcp://host:port, tls://host:port, unix:/path or unixgram:/path',
      '.compression': expect.any(String),
      '.chunk_size': expect.any(String),
      '.delimiter': expect.any(String),
      '.timeout': 'expected a duration greater than zero, such as "10s"',
      '.level': 'expected 0 to 7, or a name such as "info"',
      '.max_message_bytes': expect.stringContaining('expected 1024 to 8388608 bytes'),
      '.ca': 'expected PEM text (for a path, add _file to the key)',
      '.adress': 'is not a known key; did you mean "address"?',
    });
  });

  it.each([
    [
      { address: 'tcp://x:1', compression: 'gzip' },
      { '.compression': 'has no effect: it applies to udp and unixgram addresses only' },
    ],
    [
      { address: 'udp://x:1', delimiter: 'null' },
      { '.delimiter': 'has no effect: it applies to tcp, tls and unix addresses only' },
    ],
    [{ address: 'tcp://x:1', ca: PEM }, { '.ca': 'has no effect: it applies to tls addresses only' }],
    [
      { address: 'tls://x:1', ca: PEM, ca_file: '/x' },
      { '.ca_file': 'cannot be combined with "ca"; remove one of them' },
    ],
    [
      { address: 'tls://x:1', certificate: PEM },
      { '.certificate': 'certificate and key must be set together' },
    ],
    [[{ address: 'file:/x' }], { '[0].address': expect.stringContaining('expected udp://') }],
    [
      [
        { address: 'unix:/x', name: 'a' },
        { address: 'unix:/x', ca: PEM },
      ],
      { '[1].ca': 'has no effect: it applies to tls addresses only' },
    ],
  ])('with contradictions is rejected: %j', (value, problems) => {
    expect(problemsOf(value)).toEqual(problems);
  });

  it('has all its keys documented', () => {
    const known = Object.keys(gelfShape).sort();
    expect(
      schemaOptions(gelfShape)
        .map(({ key }) => key)
        .sort(),
    ).toEqual(known);
    const page = readFileSync('docs/gelf.md', 'utf8');
    for (const key of known) expect(page).toContain(`\`${key}\``);
  });

  it('is never quoted in a message', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----';
    expect(JSON.stringify(problemsOf({ address: 'tcp://x:1', key }))).not.toContain('secret');
  });
});
