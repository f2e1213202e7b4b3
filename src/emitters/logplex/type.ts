import type { EmitterType } from '../emitter.ts';
import { LOGPLEX_VARIABLE, type LogplexConfiguration, parseLogplexConfiguration } from './configuration.ts';
import { LogplexEmitter } from './logplex-emitter.ts';

export const logplexType: EmitterType<LogplexConfiguration> = {
  type: 'logplex',
  variable: LOGPLEX_VARIABLE,
  description:
    'Posts records to logplex, or to whatever takes its format over HTTP: to one channel, or to one per tenant.',
  example: '{"url": "https://token:t.00000000-0000-0000-0000-000000000000@logplex.example.com/logs"}',
  guarantee: 'at-least-once',
  options: [
    {
      key: 'url',
      format: '`https://token:<token>@host/logs`',
      description:
        'One destination for everything. Either this or `serve_db_dir`. Special characters percent-encoded.',
    },
    {
      key: 'serve_db_dir',
      format: 'path of a directory',
      description: 'One destination per identity of PostgreSQL servers: as `serves.loaded` in it says.',
    },
    {
      key: 'logplex_url',
      format: 'URL, with user and password or without',
      description: 'With `serve_db_dir`: where the tokens (`t`) of serve records are used.',
    },
    {
      key: 'text',
      format: '`classic` or `structured`',
      default: 'classic',
      description:
        'What becomes of records of PostgreSQL; see [logplex.md](logplex.md). Others are sent as their body.',
    },
    {
      key: 'long_text',
      format: '`split` or `truncate`',
      default: 'split',
      description: 'A message may have 10,240 bytes. A longer one becomes several, or loses its end.',
    },
    {
      key: 'host',
      format: 'text',
      description: "The host in every message, instead of the style's or the record's.",
    },
    {
      key: 'ordered',
      format: 'boolean',
      default: 'false',
      description: 'One request at a time per destination, instead of up to three.',
    },
    {
      key: 'patience',
      format: 'duration',
      default: '"1m"',
      description:
        'How long one of several destinations may hold up the others before its records become dead letters.',
    },
    {
      key: 'ca',
      format: 'PEM text',
      description:
        "The authorities to trust, instead of Node's own. Or `ca_file`: a path, read again at SIGHUP.",
    },
    {
      key: 'insecure',
      format: 'boolean',
      default: 'false',
      description: 'Do not verify certificates. For trying out.',
    },
    { key: 'connect_timeout', format: 'duration', default: '"5s"', description: 'For a connection.' },
    {
      key: 'tls_timeout',
      format: 'duration',
      default: '"5s"',
      description: 'For the TLS handshake after it.',
    },
    {
      key: 'request_timeout',
      format: 'duration',
      default: '"10s"',
      description: 'For a whole request, its answer included.',
    },
    {
      key: 'idle_timeout',
      format: 'duration',
      default: '"30s"',
      description: 'After which an unused connection is closed.',
    },
  ],
  parse: parseLogplexConfiguration,
  create: (configuration, environment) => new LogplexEmitter(configuration, environment),
};
