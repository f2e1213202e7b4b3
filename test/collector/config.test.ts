import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CollectorConfig, parseCollectorConfig } from '../../src/collector/config.ts';
import { pgLogfebeType } from '../../src/collector/sources/pg-logfebe/type.ts';
import { PathPatterns } from '../../src/collector/sources/tail/files/path-patterns.ts';
import { tailConfigurationOf, tailType } from '../../src/collector/sources/tail/type.ts';
import type { Environment } from '../../src/runtime/configuration/configuration.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../src/runtime/configuration/configuration-error.ts';

const MINIMAL: Environment = { COLLECTOR_TAIL: '/var/log/syslog' };

const SYSLOG = expect.objectContaining({
  paths: ['/var/log/syslog'],
  format: 'auto',
  startAt: 'beginning',
}) as unknown;

const entriesOf = ({ sources }: CollectorConfig) => tailConfigurationOf(sources)?.entries ?? [];

function parse(environment: Environment) {
  return parseCollectorConfig({ ...MINIMAL, ...environment }, { userId: 0 });
}

function problemsOf(environment: Environment): readonly ConfigurationProblem[] {
  try {
    parse(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

test('uses the defaults when only a file is configured', () => {
  const { config, warnings } = parse({});
  expect(config).toEqual({
    sources: [{ type: tailType, configuration: { entries: [SYSLOG], sourceFile: undefined } }],
    aggregatorAddresses: [{ host: '127.0.0.1', port: 8000 }],
    aggregatorOrder: 'spread',
    stateDirectory: '/var/lib/mega-collector/collector',
    resourceAttributes: new Map(),
    compression: 'auto',
    tls: undefined,
    httpAddress: { host: '127.0.0.1', port: 8002 },
    remoteExplain: true,
    once: false,
    isAttended: false,
    aggregatorTimeoutMs: 60_000,
    shutdownTimeoutMs: 10_000,
    logLevel: 'info',
  });
  expect(warnings).toEqual([]);
});

test('reads every variable', () => {
  const { config } = parse({
    COLLECTOR_AGGREGATOR_ADDRESS: 'one.example.com, two.example.com:9000,[::1]:1',
    COLLECTOR_STATE_DIRECTORY: '/srv/state',
    COLLECTOR_RESOURCE_ATTRIBUTES: 'service.name=shop',
    COLLECTOR_COMPRESSION: 'none',
    COLLECTOR_HTTP_ADDRESS: ':9002',
    COLLECTOR_ONCE: '1',
    COLLECTOR_SHUTDOWN_TIMEOUT: '1s',
    COLLECTOR_LOG_LEVEL: 'silent',
  });
  expect(config).toMatchObject({
    aggregatorAddresses: [
      { host: 'one.example.com', port: 8000 },
      { host: 'two.example.com', port: 9000 },
      { host: '::1', port: 1 },
    ],
    stateDirectory: '/srv/state',
    resourceAttributes: new Map([['service.name', 'shop']]),
    compression: 'none',
    httpAddress: { host: '0.0.0.0', port: 9002 },
    once: true,
    shutdownTimeoutMs: 1000,
    logLevel: 'silent',
  });
});

describe('sources', () => {
  test('splits globs at commas, but not within braces', () => {
    const { config } = parse({ COLLECTOR_TAIL: '/var/log/{a,b}.log, /srv/*.log' });
    expect(entriesOf(config).flatMap(({ paths }) => paths)).toEqual(['/var/log/{a,b}.log', '/srv/*.log']);
  });

  test('combines both variables', () => {
    const { config } = parse({ COLLECTOR_TAIL_CONFIGURATION: '[{"paths": ["/b"], "format": "json"}]' });
    expect(entriesOf(config).map(({ paths, format }) => [...paths, format])).toEqual([
      ['/var/log/syslog', 'auto'],
      ['/b', 'json'],
    ]);
  });

  test('reports a problem with examples when no source is configured', () => {
    const [problem, ...more] = problemsOf({ COLLECTOR_TAIL: undefined });
    expect(more).toEqual([]);
    expect(problem?.variable).toBe('COLLECTOR_TAIL');
    expect(problem?.message).toContain("COLLECTOR_TAIL='");
    expect(problem?.message).toContain("COLLECTOR_TAIL_CONFIGURATION='");
    expect(problem?.message).toContain("SERVE_DB_DIR='");
  });

  test('reads an access log once, with the format combined and its absolute path', () => {
    const { config, warnings } = parse({ COLLECTOR_TAIL: undefined, COLLECTOR_SOURCE: 'logs/access[1].log' });
    const path = resolve('logs/access[1].log');
    const { entries: tail = [], sourceFile } = tailConfigurationOf(config.sources) ?? {};
    const { once } = config;
    expect({ sourceFile, once, warnings }).toEqual({ sourceFile: path, once: true, warnings: [] });
    expect(tail).toMatchObject([{ format: 'combined', startAt: 'beginning', resource: new Map() }]);
    const patterns = new PathPatterns(tail, '/');
    expect(patterns.classify(path).kind).toBe('read');
    expect(patterns.classify(resolve('logs/access1.log')).kind).toBe('no-pattern');
  });

  test('follows an access log, and uses the time of reading, when configured', () => {
    const { config } = parse({
      COLLECTOR_TAIL: undefined,
      COLLECTOR_SOURCE: '/a.log',
      COLLECTOR_WATCH: '1',
      COLLECTOR_NOW: '1',
    });
    expect(config).toMatchObject({ once: false, isAttended: true });
    expect(tailConfigurationOf(config.sources)?.sourceFile).toBe('/a.log');
    expect(entriesOf(config).map(({ resource }) => [...resource])).toEqual([
      [['megacollector.time', 'observed']],
    ]);
  });

  test('rejects an access log with other sources, or both followed and read once', () => {
    expect(
      problemsOf({
        COLLECTOR_SOURCE: '/a.log',
        COLLECTOR_WATCH: '1',
        COLLECTOR_ONCE: '1',
        SERVE_DB_DIR: '/serves',
      }),
    ).toEqual([
      {
        variable: 'COLLECTOR_SOURCE',
        message: 'expected to be the only source, found COLLECTOR_TAIL and SERVE_DB_DIR as well',
      },
      { variable: 'COLLECTOR_WATCH', message: expect.stringMatching(/either followed or read once/) },
    ]);
    expect(problemsOf({ COLLECTOR_TAIL: undefined, COLLECTOR_SOURCE: '' })).toEqual([
      { variable: 'COLLECTOR_SOURCE', message: expect.stringMatching(/^expected some text/) },
    ]);
  });

  test('warns of access log options without an access log', () => {
    const { warnings } = parse({ COLLECTOR_WATCH: '1', COLLECTOR_NOW: '1' });
    expect(warnings.map(({ variable }) => variable)).toEqual(['COLLECTOR_WATCH', 'COLLECTOR_NOW']);
  });

  test('accepts a serve database as the only source', () => {
    const { config } = parse({
      COLLECTOR_TAIL: undefined,
      SERVE_DB_DIR: '/serves',
      COLLECTOR_SERVE_DB_POLL_INTERVAL: '1s',
      COLLECTOR_JOURNAL_MAX_BYTES: '64MiB',
      COLLECTOR_POSTGRES_MAX_RECORD_BYTES: '8KiB',
      COLLECTOR_POSTGRES_SOCKET_MODE: '0600',
    });
    expect(config.sources).toEqual([
      {
        type: pgLogfebeType,
        configuration: {
          serveDirectory: '/serves',
          tokensAllowed: false,
          pollIntervalMs: 1000,
          journalMaxBytes: 64 * 1024 * 1024,
          recordLengthBytes: 8192,
          socketMode: 0o600,
        },
      },
    ]);
    const withUrl = parse({ SERVE_DB_DIR: 'serves', LOGPLEX_URL: 'https://h/logs' });
    expect(withUrl.config.sources[1]).toMatchObject({
      type: pgLogfebeType,
      configuration: { serveDirectory: resolve('serves'), tokensAllowed: true },
    });
  });

  test.each(['', ',', '/a,,/b', '/a,'])('rejects COLLECTOR_TAIL=%j', (text) => {
    expect(problemsOf({ COLLECTOR_TAIL: text })).toEqual([
      { variable: 'COLLECTOR_TAIL', message: expect.stringMatching(/^expected globs/) },
    ]);
  });

  test('names the position of an invalid entry', () => {
    const problems = problemsOf({ COLLECTOR_TAIL_CONFIGURATION: '[{"paths": ["/a"]}, {"paths": 7}]' });
    expect(problems.map(({ variable }) => variable)).toEqual(['COLLECTOR_TAIL_CONFIGURATION[1].paths']);
  });
});

describe('rejects an invalid value and names its variable', () => {
  test.each([
    ['COMPRESSION', 'gzip'],
    ['COMPRESSION', ''],
    ['AGGREGATOR_ADDRESS', ''],
    ['AGGREGATOR_ADDRESS', 'a:1,,b:2'],
    ['AGGREGATOR_ADDRESS', 'a:0'],
    ['AGGREGATOR_ADDRESS', 'http://a:1'],
    ['HTTP_ADDRESS', '8002'],
    ['ONCE', 'twice'],
    ['SHUTDOWN_TIMEOUT', '10'],
    ['LOG_LEVEL', 'INFO'],
    ['STATE_DIRECTORY', ' '],
    ['TLS', 'mutual'],
    ['RESOURCE_ATTRIBUTES', 'service.name'],
    ['RESOURCE_ATTRIBUTES', '=shop'],
    ['RESOURCE_ATTRIBUTES', 'a=1,a=2'],
    ['RESOURCE_ATTRIBUTES', 'a=%zz'],
    ['RESOURCE_ATTRIBUTES', 'a=%ff'],
    ['RESOURCE_ATTRIBUTES', Array.from({ length: 49 }, (_, index) => `k${index}=v`).join()],
    ['RESOURCE_ATTRIBUTES', `a=${'x'.repeat(16_384)}`],
  ])('COLLECTOR_%s=%j', (name, text) => {
    expect(problemsOf({ [`COLLECTOR_${name}`]: text })).toEqual([
      { variable: `COLLECTOR_${name}`, message: expect.stringMatching(/^expected .*found/s) },
    ]);
  });

  test('requires three PEMs for TLS', () => {
    expect(problemsOf({ COLLECTOR_TLS: '1' }).map(({ variable }) => variable)).toEqual([
      'COLLECTOR_TLS_CERTIFICATE',
      'COLLECTOR_TLS_KEY',
      'COLLECTOR_TLS_CA_CERTIFICATE',
    ]);
  });
});

test('decodes percent-encoded resource attributes as in OpenTelemetry', () => {
  const { config } = parse({
    COLLECTOR_RESOURCE_ATTRIBUTES: ' service.name = shop%2C%20main ,team=a%3Db=c,%C3%BC=%C3%A4,,__proto__=x',
  });
  expect([...config.resourceAttributes]).toEqual([
    ['service.name', 'shop, main'],
    ['team', 'a=b=c'],
    ['ü', 'ä'],
    ['__proto__', 'x'],
  ]);
});

test('warns of an unknown variable', () => {
  expect(parse({ COLLECTOR_COMPRESION: 'none', COLLECTOR_PORT: 'tcp://10.0.0.1:1' }).warnings).toEqual([
    {
      variable: 'COLLECTOR_COMPRESION',
      message: 'is not known and has no effect; did you mean COLLECTOR_COMPRESSION?',
    },
  ]);
});

test('uses separate state directories for one-shot runs and permanent collectors', () => {
  const directoryOf = (environment: Record<string, string>) =>
    parseCollectorConfig({ HOME: '/home/ann', COLLECTOR_TAIL: '/a.log', ...environment }, { userId: 1000 })
      .config.stateDirectory;
  expect(directoryOf({})).toBe('/home/ann/.local/state/mega-collector/collector');
  expect(directoryOf({ COLLECTOR_ONCE: '1' })).toBe('/home/ann/.local/state/mega-collector/once/collector');
  expect(directoryOf({ COLLECTOR_ONCE: '1', COLLECTOR_STATE_DIRECTORY: '/state' })).toBe('/state');
});

test.each([
  ['nginx', 'did you mean "combined"?'],
  ['csvlog', 'did you mean "postgres-csvlog"?'],
  ['combinde', 'did you mean "combined"?'],
])('refuses the unknown format %s with the known ones and the nearest', (format, hint) => {
  const entries = JSON.stringify([{ paths: ['/logs/a'], format }]);
  const parse = () =>
    parseCollectorConfig({ COLLECTOR_TAIL_CONFIGURATION: entries, COLLECTOR_STATE_DIRECTORY: '/state' });
  expect(parse).toThrow(hint);
  expect(parse).toThrow('postgres-jsonlog');
});
