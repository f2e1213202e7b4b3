import type { EmitterType } from '../emitter.ts';
import { LOGPLEX_VARIABLE, type LogplexConfiguration, parseLogplexConfiguration } from './configuration.ts';
import { LogplexEmitter } from './logplex-emitter.ts';
import { tryConnections } from './try-connections.ts';

export const logplexType: EmitterType<LogplexConfiguration> = {
  type: 'logplex',
  variable: LOGPLEX_VARIABLE,
  description:
    'Posts records over HTTP to logplex or a compatible server: to one channel, or to one per tenant.',
  example: '{"url": "https://token:t.00000000-0000-0000-0000-000000000000@logplex.example.com/logs"}',
  guarantee: 'at-least-once',
  options: [
    {
      key: 'url',
      format: '`https://token:<token>@host/logs`',
      description:
        'One destination for all records. Excludes `serve_db_dir`. Percent-encode special characters.',
    },
    {
      key: 'serve_db_dir',
      format: 'path of a directory',
      description:
        'Directory with `serves.loaded`, which lists one destination per identity of PostgreSQL servers.',
    },
    {
      key: 'logplex_url',
      format: 'URL, optionally with user and password',
      description: 'URL for serve records with a token (`t`); requires `serve_db_dir`.',
    },
    {
      key: 'text',
      format: '`classic` or `structured`',
      default: 'classic',
      description:
        'Format of PostgreSQL records; see [logplex.md](logplex.md). Other records are sent as their body.',
    },
    {
      key: 'long_text',
      format: '`split` or `truncate`',
      default: 'split',
      description: 'Handling of messages above 10,240 bytes: split them into several, or truncate them.',
    },
    {
      key: 'host',
      format: 'text',
      description: 'Host in every message; overrides that of the style or the record.',
    },
    {
      key: 'ordered',
      format: 'boolean',
      default: 'false',
      description: 'Send one request at a time per destination instead of up to three.',
    },
    {
      key: 'patience',
      format: 'duration',
      default: '"1m"',
      description:
        'How long one of several destinations may delay the others before its records become dead letters.',
    },
    {
      key: 'ca',
      format: 'PEM text',
      description:
        'Trusted certificate authorities instead of those of Node. Or `ca_file`: a path, read again at SIGHUP.',
    },
    {
      key: 'insecure',
      format: 'boolean',
      default: 'false',
      description: 'Do not verify certificates. For tests only.',
    },
    { key: 'connect_timeout', format: 'duration', default: '"5s"', description: 'Timeout of connecting.' },
    {
      key: 'tls_timeout',
      format: 'duration',
      default: '"5s"',
      description: 'Timeout of the TLS handshake.',
    },
    {
      key: 'request_timeout',
      format: 'duration',
      default: '"10s"',
      description: 'Timeout of a request including its response.',
    },
    {
      key: 'idle_timeout',
      format: 'duration',
      default: '"30s"',
      description: 'Close unused connections after this time.',
    },
  ],
  parse: parseLogplexConfiguration,
  tryConnections,
  create: (configuration, environment) => new LogplexEmitter(configuration, environment),
};
