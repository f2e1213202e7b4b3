import { describe, expect, test } from 'vitest';
import { parseDuckDbConfiguration } from '../../../src/emitters/duckdb/configuration.ts';
import { ConfigurationError } from '../../../src/runtime/configuration/configuration-error.ts';

const DEFAULTS = {
  memory: 256 * 2 ** 20,
  threads: 2,
  retention_age: 30 * 86_400_000,
  retention_size: 50 * 2 ** 30,
};

describe('a configuration', () => {
  test.each(['1', 'on', 'true', '{}'])('is all defaults: %s', (value) => {
    expect(parseDuckDbConfiguration(value)).toEqual([
      { name: 'duckdb', start: 'oldest', configuration: DEFAULTS },
    ]);
  });

  test.each(['', '0', 'off', 'false'])('is none: "%s"', (value) => {
    expect(parseDuckDbConfiguration(value)).toEqual([]);
  });

  test('contains size, duration and place', () => {
    const value = JSON.stringify({
      name: 'logs',
      path: '/srv/../srv/logs.duckdb',
      memory: '1GiB',
      threads: 8,
      retention_age: '48h30m',
      retention_size: 1_000_000,
    });
    expect(parseDuckDbConfiguration(value)).toEqual([
      {
        name: 'logs',
        start: 'oldest',
        configuration: {
          path: '/srv/logs.duckdb',
          memory: 2 ** 30,
          threads: 8,
          retention_age: 48.5 * 3_600_000,
          retention_size: 1_000_000,
        },
      },
    ]);
  });

  test.each([0, '0', '0s'])('keeps everything: %s', (none) => {
    const value = JSON.stringify({ retention_age: none, retention_size: 0 });
    expect(parseDuckDbConfiguration(value)[0]?.configuration).toMatchObject({
      retention_age: 0,
      retention_size: 0,
    });
  });

  test.each([
    [{ memory: '1MiB' }, 'memory', /at least 64 MiB/],
    [{ memory: 'much' }, 'memory', /at least 64 MiB/],
    [{ threads: 0 }, 'threads', /./],
    [{ retention_age: '3 weeks' }, 'retention_age', /720h/],
    [{ retention_age: '-1h' }, 'retention_age', /720h/],
    [{ retention_size: -1 }, 'retention_size', /50GiB/],
    [{ path: '/srv/' }, 'path', /path of a file/],
  ])('is rejected: %j', (settings, key, message) => {
    expect(() => parseDuckDbConfiguration(JSON.stringify(settings))).toThrow(ConfigurationError);
    expect(() => parseDuckDbConfiguration(JSON.stringify(settings))).toThrow(
      expect.objectContaining({
        problems: [
          { variable: `AGGREGATOR_DUCKDB_CONFIGURATION.${key}`, message: expect.stringMatching(message) },
        ],
      }),
    );
  });

  test('rejects two with one path', () => {
    const value = JSON.stringify([
      { path: '/a', name: 'one' },
      { path: '/a', name: 'two' },
    ]);
    expect(() => parseDuckDbConfiguration(value)).toThrow(/another emitter writes to this file/);
  });
});
