import { expect, test } from 'vitest';
import { parseClickHouseConfiguration } from '../../../src/emitters/clickhouse/configuration.ts';
import { ConfigurationError } from '../../../src/runtime/configuration/configuration-error.ts';

const parsed = (value: object) => parseClickHouseConfiguration(JSON.stringify(value))[0]?.configuration;

function problems(value: object): string {
  try {
    parsed(value);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
  }
  throw new Error('It is accepted.');
}

test('has defaults for everything except the address', () => {
  expect(parsed({ url: 'http://127.0.0.1:8123/' })).toEqual({
    ...{ url: ['http://127.0.0.1:8123'], user: 'default', database: 'mega_collector' },
    ...{ replicated: false, retention_age: 0, fsync: true, text_index: 'auto', timeout: 60_000 },
  });
});

test('accepts the replicas of a cluster', () => {
  const value = { url: ['https://a:8443', 'https://b:8443'], cluster: '{cluster}', replicated: true };
  expect(parsed(value)).toMatchObject({ ...value, retention_age: 0 });
});

test('rejects what could change a statement, secrets in the address, and contradictions', () => {
  const url = 'http://127.0.0.1:8123';
  expect(problems({ url, database: 'a b' })).toMatch(/database: expected 1 to 63/);
  expect(problems({ url, cluster: "a' b" })).toMatch(/cluster: expected the name/);
  expect(problems({ url: 'ftp://127.0.0.1' })).toMatch(/url: .*expected/);
  const withSecret = problems({ url: 'http://me:secret@127.0.0.1:8123' });
  expect(withSecret).toMatch(/url/);
  expect(withSecret).not.toMatch(/secret/);
  expect(problems({ url, password: 'a', password_file: '/b' })).toMatch(/cannot be combined with "password"/);
  expect(problems({ url, ca_file: '/ca' })).toMatch(/applies to https addresses only/);
  expect(problems({ url, retention_age: '5m' })).toMatch(/at least "1h"/);
});
