import { describe, expect, it } from 'vitest';
import { syslogType } from '../../../../src/collector/sources/syslog/type.ts';
import { type Environment, parseVariables } from '../../../../src/runtime/configuration/configuration.ts';
import { markdownBlocks } from '../../../support/markdown-blocks.ts';

function parsed(environment: Environment) {
  const { values, problems } = parseVariables(syslogType.variables, environment);
  const result = syslogType.parse(values, { once: false, otherSources: [] });
  return {
    ...result,
    problems: [...problems, ...(result.problems ?? [])].map(
      ({ variable, message }) => `${variable} ${message}`,
    ),
  };
}

const listeners = (text: string) =>
  parsed({ COLLECTOR_SYSLOG: text }).configuration?.listeners.map(({ listen }) => listen);

describe('the configuration of the source syslog', () => {
  it('listens at the loopback address without a host, and at the usual port without a port', () => {
    expect(listeners('udp://:5140 relp:// tcp://[::1]:601')).toEqual([
      { transport: 'udp', address: { host: '127.0.0.1', port: 5140 } },
      { transport: 'relp', address: { host: '127.0.0.1', port: 2514 } },
      { transport: 'tcp', address: { host: '::1', port: 601 } },
    ]);
    expect(listeners('unixgram:///run/app.sock')).toEqual([{ transport: 'unixgram', path: '/run/app.sock' }]);
  });

  it('warns about listeners without TLS that other machines can reach', () => {
    const { warnings = [] } = parsed({ COLLECTOR_SYSLOG: 'udp://0.0.0.0:514 tcp://:601' });
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('udp://0.0.0.0:514 accepts unencrypted messages'),
    ]);
  });

  it('accepts the example in the documentation', () => {
    const [block] = markdownBlocks('docs/syslog.md').filter(({ language }) => language === 'json');
    const { configuration, problems } = parsed({ COLLECTOR_SYSLOG_CONFIGURATION: block?.text });
    expect(problems).toEqual([]);
    expect(configuration?.listeners.map(({ listen }) => listen.transport)).toEqual(['udp', 'relp+tls']);
  });

  it.each([
    ['an unknown transport', '[{"listen": "http://:80"}]', '[0].listen'],
    ['TLS without a certificate', '[{"listen": "tls://:6514"}]', '[0].certificate_file'],
    [
      'a certificate without TLS',
      '[{"listen": "tcp://:601", "certificate_file": "a", "key_file": "b"}]',
      '[0].listen',
    ],
    [
      'client certificates without an authority',
      '[{"listen": "tls://:1", "certificate_file": "a", "key_file": "b", "client_certificate": "required"}]',
      '[0].ca_file',
    ],
    ['sockets that share a port', '[{"listen": "udp://:1", "reuse": 4}]', '[0].reuse is not supported'],
    ['an unknown key', '[{"listen": "udp://:1", "frame": "lf"}]', 'frame'],
    ['a network that is none', '[{"listen": "udp://:1", "allow": ["10.0.0.0/99"]}]', '[0].allow'],
    ['an unknown time zone', '[{"listen": "udp://:1", "timezone": "Mars/Base"}]', '[0].timezone'],
    ['an identity that is none', '[{"listen": "relp://:1", "identity": "sd:x"}]', '[0].identity'],
    ['an identity without answers', '[{"listen": "tcp://:1", "identity": "json:x"}]', '[0].identity'],
    [
      'an identity of merged records',
      '[{"listen": "relp://:1", "identity": "json:x", "pack": [{"by": "time"}]}]',
      '[0].identity',
    ],
    [
      'a condition that is none',
      '[{"listen": "relp://:1", "pack": [{"if": "host ==", "by": "time"}]}]',
      '[0].pack[0].if',
    ],
    ['an unknown format', '[{"listen": "udp://:1", "format": "nope"}]', '[0].format'],
  ])('rejects %s', (_what, text, place) => {
    const { problems } = parsed({ COLLECTOR_SYSLOG_CONFIGURATION: text });
    expect(problems).toEqual([expect.stringContaining(place)]);
  });

  it('rejects an address that is used twice', () => {
    expect(parsed({ COLLECTOR_SYSLOG: 'tcp://:601 tcp://127.0.0.1:601' }).problems).toEqual([
      'COLLECTOR_SYSLOG has tcp://127.0.0.1:601 twice',
    ]);
  });
});
