import { describe, expect, it } from 'vitest';
import { parseLogplexConfiguration } from '../../../src/emitters/logplex/configuration.ts';
import { logplexType } from '../../../src/emitters/logplex/type.ts';
import { ConfigurationError } from '../../../src/runtime/configuration/configuration-error.ts';
import { schemaOptions } from '../../../src/runtime/configuration/schema-options.ts';

const URL_ = 'https://token:t.secret@logs.example.com/logs';
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

function problems(configuration: unknown): string[] {
  try {
    parseLogplexConfiguration(
      typeof configuration === 'string' ? configuration : JSON.stringify(configuration),
    );
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.message).not.toContain('secret');
    return error.problems.map(({ variable, message }) => `${variable}: ${message}`);
  }
  return [];
}

it('has the documented default timeouts and limits', () => {
  const [configured] = parseLogplexConfiguration(JSON.stringify({ url: URL_ }));
  expect(configured).toMatchObject({
    name: 'logplex',
    start: 'oldest',
    configuration: {
      url: { host: 'logs.example.com', token: 't.secret' },
      text: 'classic',
      long_text: 'split',
      ordered: false,
      patience: 60_000,
      insecure: false,
      connect_timeout: 5_000,
      tls_timeout: 5_000,
      request_timeout: 10_000,
      idle_timeout: 30_000,
    },
  });
  // It can be passed to a worker thread.
  expect(structuredClone(configured)).toEqual(configured);
});

it('documents every key', () => {
  const text = JSON.stringify(schemaOptions(logplexType.shape));
  const all = {
    ...{
      url: URL_,
      text: 'structured',
      long_text: 'truncate',
      host: 'h',
      ordered: true,
      patience: '1s',
      ca: PEM,
    },
    ...{ connect_timeout: '1s', tls_timeout: '1s', request_timeout: '1s', idle_timeout: '1s' },
  };
  expect(problems(all)).toEqual([]);
  expect(problems({ serve_db_dir: '/d', logplex_url: 'https://h/logs', ca_file: '/f' })).toEqual([]);
  expect(problems({ serve_db_dir: '/d', logplex_url: URL_, insecure: true })).toEqual([]);
  for (const key of [...Object.keys(all), 'serve_db_dir', 'logplex_url', 'ca_file', 'insecure']) {
    expect(text).toContain(key);
  }
});

describe('an invalid configuration', () => {
  const place = 'AGGREGATOR_LOGPLEX_CONFIGURATION';

  it.each([
    [{}, [`${place}: expected "url" for one destination, or "serve_db_dir" for one per identity`]],
    [
      { url: 'https://h/secret' },
      [`${place}.url: expected user and token in the URL: https://token:<token>@host/logs`],
    ],
    [
      { url: URL_, serve_db_dir: '/d' },
      [expect.stringContaining(`${place}.serve_db_dir: cannot be combined with "url"`)],
    ],
    [{ url: URL_, logplex_url: URL_ }, [expect.stringContaining(`${place}.logplex_url`)]],
    [
      { serve_db_dir: '/d', logplex_url: 'https://user@h/secret' },
      [expect.stringContaining('token after the user')],
    ],
    [{ serve_db_dir: '/d', logplex_url: 'secret' }, [expect.stringContaining('https: or http:')]],
    [{ url: URL_, ca: PEM, ca_file: '/f' }, [expect.stringContaining(`${place}.ca_file`)]],
    [{ url: URL_, ca: PEM, insecure: true }, [expect.stringContaining(`${place}.insecure`)]],
    [{ url: URL_, ca: '/etc/ca.pem' }, [expect.stringContaining('add _file')]],
    [{ url: URL_, patience: '0s' }, [expect.stringContaining('greater than zero')]],
    [{ url: URL_, request_timeout: 'secret' }, [expect.stringContaining('greater than zero')]],
    [{ url: URL_, tokens: 'secret' }, [expect.stringContaining(`${place}.tokens: is not a known key`)]],
    ['{"url": "https://token:secret', [expect.not.stringContaining('secret')]],
    [
      [{ url: URL_ }, { url: URL_, name: 'b', insecure: true, ca: PEM }],
      [expect.stringContaining(`${place}[1].insecure`)],
    ],
  ])('is reported without the secret: %j', (configuration, expected) => {
    expect(problems(configuration)).toEqual(expected);
  });
});
