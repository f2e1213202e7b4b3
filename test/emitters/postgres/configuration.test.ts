import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clientSettings } from '../../../src/emitters/postgres/client-settings.ts';
import { parsePostgresConfiguration } from '../../../src/emitters/postgres/configuration.ts';
import { parsePostgresUrl } from '../../../src/emitters/postgres/parse-postgres-url.ts';
import { ConfigurationError } from '../../../src/runtime/configuration/configuration-error.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const parsed = (value: unknown) => {
  const [configured] = parsePostgresConfiguration(typeof value === 'string' ? value : JSON.stringify(value));
  if (configured === undefined) throw new Error('No emitter is configured.');
  return configured.configuration;
};

function problems(value: unknown): readonly string[] {
  try {
    parsePostgresConfiguration(JSON.stringify(value));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ variable, message }) => `${variable}: ${message}`);
  }
}

describe('configuration', () => {
  test('has defaults for everything', () => {
    expect(parsePostgresConfiguration('1')).toEqual([
      {
        name: 'postgres',
        start: 'oldest',
        configuration: {
          schema: 'mega_collector',
          retention_age: 0,
          text_index: 'auto',
          stream_index: 'auto',
          timescale: 'auto',
          connection_timeout: 10_000,
          statement_timeout: 60_000,
        },
      },
    ]);
  });

  test.each(['', '0', 'off'])('is off: %j', (value) => {
    expect(parsePostgresConfiguration(value)).toEqual([]);
  });

  test('reads durations', () => {
    expect(
      parsed({ retention_age: '720h', connection_timeout: '2s', statement_timeout: '1m30s' }),
    ).toMatchObject({
      retention_age: 720 * 3_600_000,
      connection_timeout: 2000,
      statement_timeout: 90_000,
    });
  });

  test.each([
    [{ schema: 'Logs' }, /\.schema: expected 1 to 63 of a-z/],
    [{ schema: 'a"; drop table b; --' }, /\.schema: expected/],
    [{ schema: 'pg_logs' }, /\.schema: expected/],
    [{ retention_age: '5m' }, /\.retention_age: expected "0"/],
    [{ retention_age: '-1h' }, /\.retention_age: expected "0"/],
    [{ statement_timeout: 'soon' }, /\.statement_timeout: expected a duration/],
    [{ port: 70_000 }, /\.port: /],
    [{ ssl: 'prefer' }, /\.ssl: expected one of disable, require, verify-full/],
    [{ url: 'postgresql://a:b@c/d', password: 'x' }, /\.password: is also part of the url/],
    [{ password: 'a', password_file: 'b' }, /\.password_file: cannot be combined with "password"/],
    [{ key_file: '/k' }, /\.certificate: certificate and key must be set together/],
    [{ hots: 'a' }, /\.hots: is not a known key; did you mean "host"\?/],
  ])('rejects %j', (value, message) => {
    expect(problems(value)).toEqual([expect.stringMatching(message)]);
  });

  test('names the place in a list', () => {
    expect(problems([{}, { name: 'b', port: 0 }])).toEqual([
      expect.stringMatching(/CONFIGURATION\[1\]\.port: /),
    ]);
  });

  test('quotes no secret', () => {
    const said = problems({ url: 'http://me:hunter2@db/logs', password: 'hunter2\n', port: 'hunter2' }).join(
      '\n',
    );
    expect(said).toContain('.url: expected postgresql://user:password@host:port/database');
    expect(said).not.toContain('hunter2');
  });
});

describe('a url', () => {
  test.each([
    ['postgresql://', {}],
    ['postgres://db', { host: 'db' }],
    [
      'postgresql://u:p%40ss@db.example:5433/logs',
      { host: 'db.example', port: 5433, user: 'u', password: 'p@ss', database: 'logs' },
    ],
    ['postgresql://[::1]/logs', { host: '::1', database: 'logs' }],
    ['postgresql://%2Frun%2Fpostgresql/logs', { host: '/run/postgresql', database: 'logs' }],
    [
      'postgresql:///logs?host=/run/postgresql&user=me&sslmode=require',
      { host: '/run/postgresql', user: 'me', database: 'logs', ssl: 'require' },
    ],
  ])('%s', (url, address) => {
    expect(parsePostgresUrl(url)).toEqual(address);
  });

  test.each([
    'db/logs',
    'mysql://db',
    'postgresql://u:%zz@db',
    'postgresql://db?sslmode=prefer',
    'postgresql://db?options=-c',
    'postgresql://db?port=x',
  ])('not %s', (url) => {
    expect(parsePostgresUrl(url)).toEqual({ fault: expect.stringContaining('expected') });
  });
});

describe('a connection', () => {
  test('is made as the url says', async () => {
    const settings = await clientSettings(parsed({ url: 'postgresql://u:p@127.0.0.1:5433/logs' }));
    expect(settings).toMatchObject({
      host: '127.0.0.1',
      port: 5433,
      user: 'u',
      password: 'p',
      database: 'logs',
    });
  });

  test.each([
    ['/run/postgresql', undefined, false],
    ['localhost', undefined, false],
    ['127.0.0.5', undefined, false],
    ['::1', undefined, false],
    ['db.example', 'disable', false],
    ['127.0.0.1', 'require', { minVersion: 'TLSv1.2', rejectUnauthorized: false }],
    ['db.example', 'require', { minVersion: 'TLSv1.2', rejectUnauthorized: false }],
    ['db.example', undefined, { minVersion: 'TLSv1.2', rejectUnauthorized: true }],
    ['10.0.0.1', undefined, { minVersion: 'TLSv1.2', rejectUnauthorized: true }],
  ] as const)('to %s with ssl %s', async (host, ssl, expected) => {
    expect((await clientSettings(parsed({ host, ...(ssl && { ssl }) }))).ssl).toEqual(expected);
  });

  test('reads secrets from files', async () => {
    const path = join(await temporaryDirectory(), 'password');
    await writeFile(path, 'hunter2\n');
    expect(await clientSettings(parsed({ host: '/run', password_file: path }))).toMatchObject({
      password: 'hunter2',
    });
  });
});
