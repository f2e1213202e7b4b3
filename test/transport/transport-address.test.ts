import { describe, expect, it } from 'vitest';
import { isPacketAddress, parseTransportAddress } from '../../src/transport/transport-address.ts';
import { transportTo } from '../../src/transport/transport-to.ts';

describe('an address', () => {
  it.each([
    ['udp://log.example:12201', { kind: 'udp', host: 'log.example', port: 12_201 }],
    ['tcp://[::1]:514/', { kind: 'tcp', host: '::1', port: 514 }],
    ['tls:10.0.0.1:6514', { kind: 'tls', host: '10.0.0.1', port: 6_514 }],
    ['udp://log.example', { kind: 'udp', host: 'log.example', port: 1_234 }],
    ['unix:/run/a b', { kind: 'unix', path: '/run/a b' }],
    ['unix:///run/s', { kind: 'unix', path: '/run/s' }],
    ['unixgram:/dev/log', { kind: 'unixgram', path: '/dev/log' }],
    ['file:out.txt', { kind: 'file', path: 'out.txt' }],
    ['stdout:', { kind: 'stdout' }],
  ])('%s', (text, address) => {
    expect(parseTransportAddress(text, 1_234)).toEqual(address);
  });

  it.each([
    '',
    'log.example:12201',
    'http://x:1',
    'udp://',
    'udp://:1',
    'tcp://x:0',
    'tcp://x:70000',
    'unix:',
    'stdout:x',
    'tcp://a b:1',
  ])('is not %j', (text) => {
    expect(parseTransportAddress(text, 1_234)).toBeUndefined();
  });

  it('without a port requires a default', () => {
    expect(parseTransportAddress('udp://x')).toBeUndefined();
  });

  it.each(['udp://x:1', 'unixgram:/x', 'tcp://x:1', 'tls://x:1', 'unix:/x', 'file:/x', 'stdout:'])(
    '%s has a transport of its kind',
    (text) => {
      const address = parseTransportAddress(text);
      if (address === undefined) throw new Error(text);
      const { kind, transport } = transportTo(address);
      expect(transport.address).toBe(text);
      expect(kind).toBe(isPacketAddress(address) ? 'packets' : 'stream');
    },
  );
});
