import { describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { parseStandaloneConfig } from '../../../src/cli/standalone/parse-standalone-config.ts';
import { standaloneVariables } from '../../../src/cli/standalone/standalone-variables.ts';
import type { Environment } from '../../../src/runtime/configuration/configuration.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../../src/runtime/configuration/configuration-error.ts';
import { capturedIo } from '../../support/captured-io.ts';

const parse = (environment: Environment) => parseStandaloneConfig(environment, { userId: 0 });

const emittersOf = (environment: Environment) =>
  parse(environment).config.aggregator.emitters.map(({ name, configuration }) => ({ name, configuration }));

function problemsOf(environment: Environment): readonly ConfigurationProblem[] {
  try {
    parse(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration of a standalone', () => {
  test('requires a source and nothing else', () => {
    const { config, warnings } = parse({ COLLECTOR_TAIL: '/var/log/syslog' });
    expect(config).toMatchObject({
      collector: {
        stateDirectory: '/var/lib/mega-collector/standalone/collector',
        httpAddress: { port: 8002 },
      },
      aggregator: {
        stateDirectory: '/var/lib/mega-collector/standalone/aggregator',
        httpAddress: { port: 8001 },
        minimumPublishFrequencyMs: 1000,
        emitters: [{ name: 'text' }, { name: 'duckdb' }],
      },
      shutdownTimeoutMs: 20_000,
    });
    expect(warnings).toEqual([]);
    expect(problemsOf({})).toEqual([
      { variable: 'COLLECTOR_TAIL', message: expect.stringMatching(/SERVE_DB_DIR='/) },
    ]);
  });

  test('accepts the maximum wait of a batch under its other name', () => {
    const { config, warnings } = parse({ COLLECTOR_TAIL: '/a', AGGREGATOR_BATCH_MAX_WAIT: '3s' });
    expect(config.aggregator.minimumPublishFrequencyMs).toBe(3000);
    expect(warnings).toEqual([]);
  });

  test('--check shows the wait of a batch that the flag of its other name sets', async () => {
    const { io, stdout } = capturedIo({ environment: { HOME: '/h', COLLECTOR_TAIL: '/a' } });
    expect(await run(['standalone', '--batch-max-wait', '3s', '--check', '--json'], io)).toBe(0);
    expect(JSON.parse(stdout()).variables).toContainEqual({
      name: 'AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY',
      value: '3s',
      origin: 'flag',
    });
  });

  test('uses the configured values and warns about variables without effect', () => {
    const { config, warnings } = parse({
      COLLECTOR_TAIL: '/a',
      COLLECTOR_STATE_DIRECTORY: '/srv/c',
      AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '3s',
      AGGREGATOR_BLACKHOLE_CONFIGURATION: '1',
      AGGREGATOR_LISTEN_ADDRESS: '0.0.0.0:8000',
      AGGREGATOR_TLS: '1',
    });
    expect(config).toMatchObject({
      collector: { stateDirectory: '/srv/c', tls: undefined },
      aggregator: { minimumPublishFrequencyMs: 3000, emitters: [{ name: 'blackhole' }], tls: undefined },
    });
    expect(warnings.map(({ variable }) => variable)).toEqual(['AGGREGATOR_LISTEN_ADDRESS', 'AGGREGATOR_TLS']);
  });

  test('sends records of PostgreSQL servers to logplex, unless an emitter is configured', () => {
    const url = 'https://token:t.secret@logplex.example.com/logs';
    const bySocket = { SERVE_DB_DIR: '/serves', LOGPLEX_URL: url };
    expect(emittersOf(bySocket)).toEqual([
      {
        name: 'logplex',
        configuration: expect.objectContaining({ serve_db_dir: '/serves', logplex_url: url }),
      },
    ]);
    expect(parse(bySocket).config.collector.sources).toMatchObject([
      { type: { name: 'pg-logfebe' }, configuration: { tokensAllowed: true } },
    ]);
    expect(emittersOf({ SERVE_DB_DIR: '/serves' })).toMatchObject([
      { name: 'logplex', configuration: { serve_db_dir: '/serves' } },
    ]);
    expect(emittersOf({ COLLECTOR_TAIL: '/a', LOGPLEX_URL: url })).toMatchObject([{ name: 'logplex' }]);
    expect(emittersOf({ ...bySocket, AGGREGATOR_TEXT_CONFIGURATION: '1' })).toMatchObject([{ name: 'text' }]);
  });

  test('warns when files have no destination', () => {
    const { warnings } = parse({ SERVE_DB_DIR: '/serves', COLLECTOR_TAIL: '/a' });
    expect(warnings.map(({ variable }) => variable)).toEqual(['COLLECTOR_TAIL']);
  });

  test.each(['not a URL', 'ftp://token:secret@host/', 'https://token@host/secret'])(
    'names LOGPLEX_URL, once and without its value, when it is %j',
    (url) => {
      const problems = problemsOf({ SERVE_DB_DIR: '/serves', LOGPLEX_URL: url });
      expect(problems.map(({ variable }) => variable)).toEqual(['LOGPLEX_URL']);
      expect(JSON.stringify(problems)).not.toContain('secret');
    },
  );

  test('reports the problems of both halves at once', () => {
    const problems = problemsOf({ COLLECTOR_ONCE: 'maybe', AGGREGATOR_WHEN_FULL: 'cry' });
    expect(problems.map(({ variable }) => variable)).toEqual([
      'COLLECTOR_ONCE',
      'COLLECTOR_TAIL',
      'AGGREGATOR_WHEN_FULL',
    ]);
  });

  test('gives every variable a name and a flag of its own', () => {
    const variables = Object.values(standaloneVariables());
    expect(new Set(variables.map(({ name }) => name)).size).toBe(variables.length);
    expect(new Set(variables.map(({ flag }) => flag)).size).toBe(variables.length);
    const flags = variables.map(({ flag }) => flag);
    expect(flags).toContain('--collector-log-level');
    expect(flags).toContain('--aggregator-log-level');
    expect(flags).toContain('--tail');
  });

  test('--check shows the configuration and its emitters', async () => {
    const { io, stdout } = capturedIo({ environment: { HOME: '/h', LOGPLEX_URL: 'https://h/logs' } });
    expect(await run(['standalone', '--serve-db-dir', '/s', '--check', '--json'], io)).toBe(0);
    expect(JSON.parse(stdout())).toMatchObject({
      ok: true,
      variables: expect.arrayContaining([
        { name: 'SERVE_DB_DIR', value: '/s', origin: 'flag' },
        { name: 'LOGPLEX_URL', value: '(set, not shown)', origin: 'environment' },
        { name: 'AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY', value: '1s', origin: 'default' },
        {
          name: 'COLLECTOR_STATE_DIRECTORY',
          value: '/h/.local/state/mega-collector/standalone/collector',
          origin: 'default',
        },
      ]),
      emitters: [{ name: 'logplex', type: 'logplex', guarantee: 'at-least-once' }],
    });
  });
});
