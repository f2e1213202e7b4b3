import { describe, expect, it } from 'vitest';
import { PG_LOGFEBE_VARIABLES } from '../../../../src/collector/sources/pg-logfebe/variables.ts';
import { parseVariables } from '../../../../src/runtime/configuration/configuration.ts';

const parse = (environment: Record<string, string> = {}) => parseVariables(PG_LOGFEBE_VARIABLES, environment);

describe('the variables of pg-logfebe', () => {
  it('have their defaults', () => {
    expect(parse()).toEqual({
      values: {
        serveDirectory: undefined,
        logplexUrl: undefined,
        pollIntervalMs: 10_000,
        journalMaxBytes: 1024 ** 3,
        recordLengthBytes: 1024 ** 2,
        socketMode: 0o666,
      },
      problems: [],
    });
  });

  it('accept their examples', () => {
    const environment = Object.fromEntries(
      Object.values(PG_LOGFEBE_VARIABLES).map(({ name, example }) => [name, example]),
    );
    expect(parse(environment).problems).toEqual([]);
    expect(parse(environment).values).toMatchObject({ socketMode: 0o660, recordLengthBytes: 65_536 });
  });

  it.each([
    ['SERVE_DB_DIR', ''],
    ['LOGPLEX_URL', 'ftp://example.com'],
    ['LOGPLEX_URL', 'SECRET'],
    ['COLLECTOR_SERVE_DB_POLL_INTERVAL', '0s'],
    ['COLLECTOR_JOURNAL_MAX_BYTES', '1MiB'],
    ['COLLECTOR_POSTGRES_MAX_RECORD_BYTES', '1KiB'],
    ['COLLECTOR_POSTGRES_MAX_RECORD_BYTES', '64MiB'],
    ['COLLECTOR_POSTGRES_SOCKET_MODE', '0888'],
    ['COLLECTOR_POSTGRES_SOCKET_MODE', '66'],
  ])('reject %s=%s', (variable, text) => {
    const { problems } = parse({ [variable]: text });
    expect(problems).toMatchObject([{ variable }]);
    expect(JSON.stringify(problems)).not.toContain('SECRET');
  });
});
