import { describe, expect, it } from 'vitest';
import { parseSyslogConfiguration } from '../../../src/emitters/syslog/configuration.ts';

const parsed = (settings: Record<string, unknown>) =>
  parseSyslogConfiguration(JSON.stringify(settings))[0]?.configuration;
const problems = (settings: Record<string, unknown>): string => {
  try {
    parsed(settings);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('addresses', () => {
  it.each([
    ['udp://loghost', { kind: 'udp', host: 'loghost', port: 514 }],
    ['tcp://loghost:601', { kind: 'tcp', host: 'loghost', port: 601 }],
    ['tls://[::1]', { kind: 'tls', host: '::1', port: 6514 }],
    ['unix:/run/s', { kind: 'unix', path: '/run/s' }],
    ['unixgram:/dev/log', { kind: 'unixgram', path: '/dev/log' }],
  ])('%s', (address, expected) => {
    expect(parsed({ address })?.address).toEqual(expected);
  });

  it.each(['file:/a', 'stdout:', 'loghost', 'relp://a:1', 'tcp://'])('rejects %s', (address) => {
    expect(problems({ address })).toContain('expected udp://host:port');
  });
});

it('reads names and numbers of facility and severity', () => {
  const address = 'tcp://a';
  expect(parsed({ address, facility: 'local3', severity: 'warn' })).toMatchObject({
    facility: 19,
    severity: 4,
  });
  expect(parsed({ address, facility: 0, severity: 0 })).toMatchObject({ facility: 0, severity: 0 });
  expect(problems({ address, facility: 24, severity: 'loud' })).toMatch(/0 to 23[\s\S]*0 to 7/);
});

it.each([
  [{ address: 'udp://a', framing: 'lf' }, 'framing: has no effect'],
  [{ address: 'tcp://a', burst: 1 }, 'burst: has no effect'],
  [{ address: 'tcp://a', ca_file: '/ca' }, 'ca_file: has no effect'],
  [{ address: 'tls://a', certificate_file: '/c' }, 'certificate and key must be set together'],
  [{ address: 'udp://a', max_message_bytes: 65_508 }, 'a datagram has at most 65507 bytes'],
  [{ address: 'tcp://a', max_message_bytes: 100 }, 'expected 1024 to'],
  [{ address: 'tcp://a', timezone: 'Europe/Berlin' }, 'timezone: has no effect'],
  [{ address: 'tcp://a', message: 'rfc3164', timezone: 'Mars' }, 'expected an IANA name'],
  [{ address: 'tcp://a', message: 'raw', identify: true }, 'identify: has no effect'],
  [{ address: 'tcp://a', message: 'cef' }, 'message'],
])('rejects %j', (settings, message) => {
  expect(problems(settings)).toContain(message);
});
