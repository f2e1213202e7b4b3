import { describe, expect, test } from 'vitest';
import {
  type AggregatorConfigOptions,
  parseAggregatorConfig,
  publishFrequencyMs,
} from '../../src/aggregator/config.ts';
import type { EmitterType } from '../../src/emitters/emitter.ts';
import type { Environment } from '../../src/runtime/configuration/configuration.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../src/runtime/configuration/configuration-error.ts';
import { CertificateAuthority } from '../support/certificate-authority.ts';

/** Emitter types with only a name: the real ones have their own tests. */
function emitterType(type: string): EmitterType {
  const variable = `AGGREGATOR_${type.toUpperCase()}_CONFIGURATION`;
  return {
    type,
    variable,
    description: `Writes to ${type}.`,
    example: '1',
    shape: {},
    guarantee: 'at-least-once',
    parse: (text) => {
      if (text === 'bad') throw new ConfigurationError([{ variable, message: 'expected better' }]);
      if (text === '0') return [];
      return text
        .split(',')
        .map((each) => ({ name: each === '1' ? type : each, start: 'oldest', configuration: {} }));
    },
    create: () => {
      throw new Error('not made in this test');
    },
  };
}

const OPTIONS: AggregatorConfigOptions = {
  emitterTypes: [emitterType('text'), emitterType('file')],
  userId: 0,
};

const MINIMAL: Environment = { AGGREGATOR_TEXT_CONFIGURATION: '1' };

function parse(environment: Environment, options = OPTIONS) {
  return parseAggregatorConfig({ ...MINIMAL, ...environment }, options);
}

function problemsOf(environment: Environment, options = OPTIONS): readonly ConfigurationProblem[] {
  try {
    parse(environment, options);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

test('uses the defaults when only an emitter is configured', () => {
  const { config, warnings } = parse({});
  expect(config).toEqual({
    listenAddress: { host: '127.0.0.1', port: 8000 },
    httpAddress: { host: '127.0.0.1', port: 8001 },
    httpToken: undefined,
    servesPage: true,
    stateDirectory: '/var/lib/mega-collector/aggregator',
    maxBatchSize: 1000,
    minimumPublishFrequencyMs: undefined,
    maxConnections: 1024,
    maxStreams: 100_000,
    queueMaxBytes: 10 * 2 ** 30,
    whenFull: 'stop',
    retryCount: 3,
    retryDelayMs: 5000,
    afterRetries: 'hold',
    notify: undefined,
    emitters: [expect.objectContaining({ name: 'text', start: 'oldest' })],
    tls: undefined,
    shutdownTimeoutMs: 10_000,
    logLevel: 'info',
  });
  expect(warnings).toEqual([]);
});

test('reads every variable', () => {
  const { config } = parse({
    AGGREGATOR_LISTEN_ADDRESS: '127.0.0.1:9000',
    AGGREGATOR_HTTP_ADDRESS: '[::1]:9001',
    AGGREGATOR_HTTP_TOKEN: '0123456789abcdef',
    AGGREGATOR_STATE_DIRECTORY: '/srv/state',
    AGGREGATOR_MAX_BATCH_SIZE: '17',
    AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '1m30s',
    AGGREGATOR_QUEUE_MAX_BYTES: '1GiB',
    AGGREGATOR_WHEN_FULL: 'drop-oldest',
    AGGREGATOR_UI: '0',
    AGGREGATOR_RETRY_COUNT: '5',
    AGGREGATOR_RETRY_DELAY: '250ms',
    AGGREGATOR_AFTER_RETRIES: 'dead-letter',
    AGGREGATOR_SHUTDOWN_TIMEOUT: '0',
    AGGREGATOR_LOG_LEVEL: 'debug',
    AGGREGATOR_NOTIFY_CONFIGURATION:
      '{"integration_key": "k", "incident_key": "i", "identifier": "d", "server": "https://127.0.0.1:1/"}',
  });
  expect(config).toMatchObject({
    listenAddress: { host: '127.0.0.1', port: 9000 },
    httpAddress: { host: '::1', port: 9001 },
    httpToken: '0123456789abcdef',
    servesPage: false,
    stateDirectory: '/srv/state',
    maxBatchSize: 17,
    minimumPublishFrequencyMs: 90_000,
    maxConnections: 1024,
    maxStreams: 100_000,
    queueMaxBytes: 2 ** 30,
    whenFull: 'drop-oldest',
    retryCount: 5,
    retryDelayMs: 250,
    afterRetries: 'dead-letter',
    shutdownTimeoutMs: 0,
    logLevel: 'debug',
    notify: { integrationKey: 'k', incidentKey: 'i', identifier: 'd', server: '127.0.0.1:1', ca: undefined },
  });
});

describe('with AGGREGATOR_ACKNOWLEDGE', () => {
  const FILE = { AGGREGATOR_TEXT_CONFIGURATION: 'archive' };

  test('an emitter that exists is waited for, and receives batches every 100 ms', () => {
    const { config, warnings } = parse({ ...FILE, AGGREGATOR_ACKNOWLEDGE: 'delivered:archive' });
    expect(config.acknowledge).toEqual({ emitter: 'archive' });
    expect(config.emitters.map((emitter) => publishFrequencyMs(config, emitter))).toEqual([100]);
    expect(warnings).toEqual([]);
  });

  test('an emitter that does not exist is a problem', () => {
    expect(problemsOf({ ...FILE, AGGREGATOR_ACKNOWLEDGE: 'delivered:postgres' })).toEqual([
      {
        variable: 'AGGREGATOR_ACKNOWLEDGE',
        message: 'no emitter has the name "postgres". Configured emitters: archive',
      },
    ]);
  });

  test('options that discard records cause a warning', () => {
    const { warnings } = parse({
      ...FILE,
      AGGREGATOR_ACKNOWLEDGE: 'delivered:archive',
      AGGREGATOR_WHEN_FULL: 'drop-oldest',
      AGGREGATOR_AFTER_RETRIES: 'discard',
    });
    expect(warnings.map(({ variable }) => variable)).toEqual([
      'AGGREGATOR_ACKNOWLEDGE',
      'AGGREGATOR_ACKNOWLEDGE',
    ]);
  });
});

describe('rejects an invalid value and names its variable', () => {
  test.each<readonly [string, string]>([
    ...['0', '-1', '1.5', '', ' 1', '0x10', '1000001', '1e3'].map(
      (text) => ['MAX_BATCH_SIZE', text] as const,
    ),
    ...['0', '-1s', '', '15', '1d', '0.0000000001s'].map(
      (text) => ['MINIMUM_PUBLISH_FREQUENCY', text] as const,
    ),
    ...['', '1', '7MiB', '10 GiB', 'lots'].map((text) => ['QUEUE_MAX_BYTES', text] as const),
    ...['0', 'three', ''].map((text) => ['RETRY_COUNT', text] as const),
    ...['0s', '5'].map((text) => ['RETRY_DELAY', text] as const),
    ['SHUTDOWN_TIMEOUT', '-1s'],
    ...['', 'drop-newest', 'STOP'].map((text) => ['WHEN_FULL', text] as const),
    ['AFTER_RETRIES', 'give-up'],
    ...['', 'delivered', 'delivered:', 'stored:file'].map((text) => ['ACKNOWLEDGE', text] as const),
    ['LOG_LEVEL', 'verbose'],
    ['TLS', 'maybe'],
    ...['8000', '', 'here:port', '1.2.3:80'].map((text) => ['LISTEN_ADDRESS', text] as const),
    ['HTTP_ADDRESS', 'localhost'],
    ['STATE_DIRECTORY', ''],
    ...['', 'short', 'sixteen letters or more', 'twenty-letters-and-ü'].map(
      (text) => ['HTTP_TOKEN', text] as const,
    ),
  ])('AGGREGATOR_%s=%j', (name, text) => {
    const problems = problemsOf({ [`AGGREGATOR_${name}`]: text });
    expect(problems).toEqual([
      { variable: `AGGREGATOR_${name}`, message: expect.stringMatching(/^expected .*found/s) },
    ]);
  });
});

test('reports all problems together', () => {
  const problems = problemsOf({
    AGGREGATOR_MAX_BATCH_SIZE: '0',
    AGGREGATOR_WHEN_FULL: 'never',
    AGGREGATOR_TEXT_CONFIGURATION: 'bad',
    AGGREGATOR_TLS: '1',
  });
  expect(problems.map(({ variable }) => variable)).toEqual([
    'AGGREGATOR_MAX_BATCH_SIZE',
    'AGGREGATOR_WHEN_FULL',
    'AGGREGATOR_TEXT_CONFIGURATION',
    'AGGREGATOR_TLS_CERTIFICATE',
    'AGGREGATOR_TLS_KEY',
    'AGGREGATOR_TLS_CA_CERTIFICATE',
  ]);
});

describe('emitters', () => {
  test('returns all configured emitters', () => {
    const { config } = parse({ AGGREGATOR_FILE_CONFIGURATION: 'audit,archive' });
    expect(config.emitters.map(({ name, type }) => [type.type, name])).toEqual([
      ['text', 'text'],
      ['file', 'audit'],
      ['file', 'archive'],
    ]);
  });

  test('reports a problem with the choices when no emitter is configured', () => {
    const [problem, ...more] = problemsOf({ AGGREGATOR_TEXT_CONFIGURATION: undefined });
    expect(more).toEqual([]);
    expect(problem?.message).toContain("AGGREGATOR_TEXT_CONFIGURATION='1'");
    expect(problem?.message).toContain("AGGREGATOR_FILE_CONFIGURATION='1'");
  });

  describe('with an embedded store among the types', () => {
    const store: EmitterType = {
      ...emitterType('store'),
      dialect: 'duckdb',
      isDefault: true,
      publishFrequencyMs: 1000,
    };
    const options = { ...OPTIONS, emitterTypes: [...(OPTIONS.emitterTypes ?? []), store] };
    const none = { AGGREGATOR_TEXT_CONFIGURATION: undefined };

    test('uses the store when nothing is configured', () => {
      const { config } = parse(none, options);
      expect(config.emitters).toMatchObject([{ name: 'store', type: store }]);
      expect(parse({}, options).config.emitters.map(({ name }) => name)).toEqual(['text']);
    });

    test('accepts that the store is switched off', () => {
      const [problem] = problemsOf({ ...none, AGGREGATOR_STORE_CONFIGURATION: '0' }, options);
      expect(problem?.message).toContain('expected at least one emitter');
    });

    test('uses the publish frequency of the store unless it is set', () => {
      const waits = (environment: Environment) => {
        const { config } = parse({ AGGREGATOR_STORE_CONFIGURATION: '1', ...environment }, options);
        return config.emitters.map((emitter) => publishFrequencyMs(config, emitter));
      };
      expect(waits({})).toEqual([15_000, 1000]);
      expect(waits({ AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '3s' })).toEqual([3000, 3000]);
      expect(waits({ AGGREGATOR_BATCH_MAX_WAIT: '4s' })).toEqual([4000, 4000]);
      const both = { AGGREGATOR_BATCH_MAX_WAIT: '4s', AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '3s' };
      expect(waits(both)).toEqual([3000, 3000]);
    });
  });

  test('warns of a value that means off, and ignores it', () => {
    const { config, warnings } = parse({
      AGGREGATOR_TEXT_CONFIGURATION: '0',
      AGGREGATOR_FILE_CONFIGURATION: '1',
    });
    expect(config.emitters.map(({ name }) => name)).toEqual(['file']);
    expect(warnings).toEqual([
      { variable: 'AGGREGATOR_TEXT_CONFIGURATION', message: 'is set, but its value means off' },
    ]);
  });

  test('reports two emitters with the same name', () => {
    expect(problemsOf({ AGGREGATOR_FILE_CONFIGURATION: 'text' })).toEqual([
      {
        variable: 'AGGREGATOR_FILE_CONFIGURATION',
        message: expect.stringContaining('two emitters are named "text"'),
      },
    ]);
    expect(problemsOf({ AGGREGATOR_FILE_CONFIGURATION: 'a,a' })).toHaveLength(1);
  });
});

describe('notify', () => {
  const VARIABLE = 'AGGREGATOR_NOTIFY_CONFIGURATION';
  const WHOLE = { integration_key: 'k', incident_key: 'i', identifier: 'd' };

  test.each([
    ['null', ['']],
    ['[]', ['']],
    ['"text"', ['']],
    ['{}', ['.integration_key', '.incident_key', '.identifier']],
    [JSON.stringify({ ...WHOLE, incident_key: 5 }), ['.incident_key']],
    [JSON.stringify({ ...WHOLE, identifier: ' ' }), ['.identifier']],
    [JSON.stringify({ ...WHOLE, server: 'ftp://x' }), ['.server']],
    [JSON.stringify({ ...WHOLE, server: 'http://x' }), ['.server']],
    [JSON.stringify({ ...WHOLE, server: 'https://x/path' }), ['.server']],
    [JSON.stringify({ ...WHOLE, ca: 'no pem' }), ['.ca']],
    [JSON.stringify({ ...WHOLE, server: 7 }), ['.server']],
  ])('%s is refused at %j', (text, paths) => {
    const problems = problemsOf({ [VARIABLE]: text });
    expect(problems.map(({ variable }) => variable)).toEqual(paths.map((path) => VARIABLE + path));
    for (const { message } of problems) expect(message).toMatch(/^expected .*, found /);
  });

  test.each(['', '{', 'secret-key'])('reports that %j is not JSON, without the value', (text) => {
    const [problem] = problemsOf({ [VARIABLE]: text });
    expect(problem).toMatchObject({
      variable: VARIABLE,
      message: expect.stringMatching(/^expected an object as JSON/),
    });
    expect(problem?.message).not.toContain('secret-key');
  });

  test('warns of an unknown key', () => {
    const { warnings } = parse({ [VARIABLE]: JSON.stringify({ ...WHOLE, integration_kee: 'x' }) });
    expect(warnings).toEqual([
      { variable: `${VARIABLE}.integration_kee`, message: 'is not known and has no effect' },
    ]);
  });
});

describe('TLS', () => {
  test('is off for 0', () => {
    expect(parse({ AGGREGATOR_TLS: '0' }).config.tls).toBeUndefined();
  });

  test('reports each missing PEM separately', () => {
    const problems = problemsOf({ AGGREGATOR_TLS: '1' });
    expect(new Set(problems.map(({ message }) => message)).size).toBe(3);
  });

  test('reads PEM with real and with escaped line ends', async () => {
    const authority = await CertificateAuthority.create();
    const material = await authority.issue({ name: 'aggregator' });
    const escaped = (text: string) => text.replaceAll('\n', '\\n');
    const { config } = parse({
      AGGREGATOR_TLS: 'yes',
      AGGREGATOR_TLS_CERTIFICATE: material.certificate,
      AGGREGATOR_TLS_KEY: escaped(material.key),
      AGGREGATOR_TLS_CA_CERTIFICATE: escaped(material.caCertificate),
    });
    expect(config.tls).toEqual(material);
  });

  test('reports the reason of unusable PEM', async () => {
    const authority = await CertificateAuthority.create();
    const material = await authority.issue({ name: 'aggregator' });
    const other = await authority.issue({ name: 'another' });
    const environment = {
      AGGREGATOR_TLS: '1',
      AGGREGATOR_TLS_CERTIFICATE: material.certificate,
      AGGREGATOR_TLS_KEY: material.key,
      AGGREGATOR_TLS_CA_CERTIFICATE: material.caCertificate,
    };
    const messageOf = (change: Environment) =>
      problemsOf({ ...environment, ...change }).map((each) => each.message);
    const messages = [
      messageOf({ AGGREGATOR_TLS_KEY: other.key }),
      messageOf({ AGGREGATOR_TLS_KEY: 'no pem' }),
      messageOf({ AGGREGATOR_TLS_KEY: material.certificate }),
      messageOf({ AGGREGATOR_TLS_CERTIFICATE: material.certificate.replace('M', '!') }),
      messageOf({ AGGREGATOR_TLS_CERTIFICATE: '/etc/ssl/aggregator.crt' }),
      messageOf({ AGGREGATOR_TLS_CA_CERTIFICATE: material.key }),
      messageOf({ AGGREGATOR_TLS_CA_CERTIFICATE: 'no pem' }),
    ];
    expect(messages.map(([message]) => message)).toEqual([
      'does not match the certificate (of a chain, our own certificate must come first)',
      'expected a PEM private key, found text without a PEM block',
      'expected a PEM private key, found a damaged or wrong CERTIFICATE',
      'expected a PEM certificate, found a damaged or wrong CERTIFICATE',
      'expected a PEM certificate, found what looks like a path (the variable with _FILE added takes a path)',
      'expected at least one PEM certificate of an authority, found a damaged or wrong EC PRIVATE KEY',
      'expected at least one PEM certificate of an authority, found text without a PEM block',
    ]);
    expect(messages.every(({ length }) => length === 1)).toBe(true);
    expect(messages.flat().join()).not.toContain(material.key.split('\n')[1]);
  });

  test('warns of PEM without TLS', () => {
    expect(parse({ AGGREGATOR_TLS_KEY: 'x' }).warnings).toEqual([
      { variable: 'AGGREGATOR_TLS_KEY', message: 'has no effect, because AGGREGATOR_TLS is off' },
    ]);
  });
});

describe('warnings', () => {
  test('for an address that other machines can reach without TLS', () => {
    expect(parse({ AGGREGATOR_LISTEN_ADDRESS: '0.0.0.0:8000' }).warnings).toEqual([
      { variable: 'AGGREGATOR_LISTEN_ADDRESS', message: expect.stringContaining('without TLS') },
    ]);
  });

  test('for an unknown name, but not for variables of Kubernetes', () => {
    const { warnings } = parse({
      AGGREGATOR_RETRY_COUNTS: '3',
      AGGREGATOR_PORT: 'tcp://10.0.0.1:8000',
      AGGREGATOR_SERVICE_HOST: '10.0.0.1',
      AGGREGATOR_FILE_CONFIGURATION_FILE: '/etc/file.json',
      COLLECTOR_WHATEVER: '1',
    });
    expect(warnings).toEqual([
      {
        variable: 'AGGREGATOR_RETRY_COUNTS',
        message: 'is not known and has no effect; did you mean AGGREGATOR_RETRY_COUNT?',
      },
    ]);
  });
});

describe('the default state directory', () => {
  test.each([
    [{ XDG_STATE_HOME: '/x', HOME: '/home/ann' }, '/x/mega-collector/aggregator'],
    [{ XDG_STATE_HOME: 'relative', HOME: '/home/ann' }, '/home/ann/.local/state/mega-collector/aggregator'],
    [{ HOME: '/home/ann' }, '/home/ann/.local/state/mega-collector/aggregator'],
  ])('%j: %s', (environment, expected) => {
    expect(parse(environment, { ...OPTIONS, userId: 1000 }).config.stateDirectory).toBe(expected);
  });

  test('is undefined without a home directory', () => {
    expect(problemsOf({}, { ...OPTIONS, userId: 1000 })).toEqual([
      {
        variable: 'AGGREGATOR_STATE_DIRECTORY',
        message: expect.stringMatching(/^expected a path, found nothing/),
      },
    ]);
  });
});
