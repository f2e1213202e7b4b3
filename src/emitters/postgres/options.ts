import type { EmitterOption } from '../emitter.ts';

type Row = readonly [key: string, format: string, standard: string, description: string];

const ROWS: readonly Row[] = [
  [
    'url',
    '`postgresql://user:password@host:port/database`',
    '',
    'The server; `?sslmode=` and `?host=/run/postgresql` may follow. Or the five keys below.',
  ],
  ['host', 'name, address, or directory of a Unix socket', '', 'Without it and a url: `PGHOST`.'],
  ['port', '1 to 65535', '5432', 'Or `PGPORT`.'],
  ['user', 'name', '', 'Or `PGUSER`.'],
  ['password', 'text', '', 'Or `PGPASSWORD`.'],
  ['password_file', 'path', '', 'Instead of `password`. Read again at SIGHUP.'],
  ['database', 'name', '', 'Or `PGDATABASE`.'],
  [
    'ssl',
    '`disable`, `require`, `verify-full`',
    'verify-full',
    'Whether the connection is encrypted, and the certificate checked. To this machine itself: `disable`.',
  ],
  ['ca', 'PEM text', '', "The authorities to trust, instead of Node's."],
  ['certificate', 'PEM text', '', 'The certificate to show, then its chain.'],
  ['key', 'PEM text', '', 'Its private key.'],
  ['ca_file', 'path', '', 'Instead of `ca`. Such files are read again at SIGHUP.'],
  ['certificate_file', 'path', '', 'Instead of `certificate`.'],
  ['key_file', 'path', '', 'Instead of `key`.'],
  ['schema', 'name of a-z, 0-9 and `_`', 'mega_collector', 'Of our tables. Created when it is not there.'],
  [
    'retention_age',
    'duration',
    '0',
    'Records that were read longer ago are dropped, by whole days. `0`: kept for ever.',
  ],
  [
    'timescale',
    '`auto`, `off`',
    'auto',
    'Use TimescaleDB when the table is created and the extension is there.',
  ],
  ['connection_timeout', 'duration', '10s', 'For a connection.'],
  ['statement_timeout', 'duration', '60s', 'For a statement that writes, and for each lock it waits for.'],
];

/** The keys of the configuration, as the docs show them. */
export const POSTGRES_OPTIONS: readonly EmitterOption[] = ROWS.map(
  ([key, format, standard, description]) => ({
    key,
    format,
    description,
    ...(standard !== '' && { default: standard }),
  }),
);
