import type { EmitterOption } from '../emitter.ts';

type Row = readonly [key: string, format: string, standard: string, description: string];

const ROWS: readonly Row[] = [
  [
    'url',
    '`postgresql://user:password@host:port/database`',
    '',
    'URL of the server, optionally with `?sslmode=` or `?host=/run/postgresql`. Or the five keys below.',
  ],
  ['host', 'name, address, or directory of a Unix socket', '', 'Default without a url: `PGHOST`.'],
  ['port', '1 to 65535', '5432', 'Default port, unless `PGPORT` is set.'],
  ['user', 'name', '', 'Default: `PGUSER`.'],
  ['password', 'text', '', 'Default: `PGPASSWORD`.'],
  ['password_file', 'path', '', 'Alternative to `password`. Read again at SIGHUP.'],
  ['database', 'name', '', 'Default: `PGDATABASE`.'],
  [
    'ssl',
    '`disable`, `require`, `verify-full`',
    'verify-full',
    'Encryption and certificate verification. Default for connections to this machine: `disable`.',
  ],
  ['ca', 'PEM text', '', 'Trusted certificate authorities instead of those of Node.'],
  ['certificate', 'PEM text', '', 'The client certificate, followed by its chain.'],
  ['key', 'PEM text', '', 'The private key of the client certificate.'],
  ['ca_file', 'path', '', 'Alternative to `ca`. All certificate files are read again at SIGHUP.'],
  ['certificate_file', 'path', '', 'Alternative to `certificate`.'],
  ['key_file', 'path', '', 'Alternative to `key`.'],
  [
    'schema',
    'name of a-z, 0-9 and `_`',
    'mega_collector',
    'Schema of the tables. Created if it does not exist.',
  ],
  ['retention_age', 'duration', '0', 'Records read longer ago are deleted, in whole days. `0`: keep all.'],
  [
    'timescale',
    '`auto`, `off`',
    'auto',
    'Whether a new table uses TimescaleDB if the extension is available.',
  ],
  ['connection_timeout', 'duration', '10s', 'Timeout of connecting.'],
  ['statement_timeout', 'duration', '60s', 'Timeout of a writing statement, and of each lock wait.'],
];

/** The configuration keys, for the docs. */
export const POSTGRES_OPTIONS: readonly EmitterOption[] = ROWS.map(
  ([key, format, standard, description]) => ({
    key,
    format,
    description,
    ...(standard !== '' && { default: standard }),
  }),
);
