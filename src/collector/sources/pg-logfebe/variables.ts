import { LIMITS } from '../../../records/limits.ts';
import { BYTE_SIZE_FORMAT, parseByteSize } from '../../../runtime/configuration/byte-size.ts';
import { InvalidValue, type VariableTable } from '../../../runtime/configuration/configuration.ts';
import {
  byteSizeOfAtLeast,
  DURATION_FORMAT,
  nonEmptyText,
  positiveDurationMs,
} from '../../../runtime/configuration/value-parsers.ts';

/** The variables of the source `pg-logfebe`. It runs when SERVE_DB_DIR is set. */
export const PG_LOGFEBE_VARIABLES = {
  serveDirectory: {
    name: 'SERVE_DB_DIR',
    flag: '--serve-db-dir',
    description: 'The serve database: the PostgreSQL servers that may log here, and their sockets.',
    format: 'path',
    example: '/var/lib/mega-collector/serves',
    parse: nonEmptyText,
  },
  logplexUrl: {
    name: 'LOGPLEX_URL',
    flag: '--logplex-url',
    description:
      'Where the tokens (`t`) of the serve database are used. A collector needs it only to accept lists with tokens.',
    format: 'URL',
    example: 'https://logplex.example.com/logs',
    secret: true,
    parse: httpUrl,
  },
  pollIntervalMs: {
    name: 'COLLECTOR_SERVE_DB_POLL_INTERVAL',
    flag: '--serve-db-poll-interval',
    description: 'Interval between checks of the serve database for a new list.',
    format: DURATION_FORMAT,
    default: '10s',
    example: '1s',
    parse: positiveDurationMs,
  },
  journalMaxBytes: {
    name: 'COLLECTOR_JOURNAL_MAX_BYTES',
    flag: '--journal-max-bytes',
    description:
      'Maximum size on disk of received records that wait for the aggregator. Further records are dropped and reported.',
    format: BYTE_SIZE_FORMAT,
    default: '1GiB',
    example: '10GiB',
    parse: byteSizeOfAtLeast(16 * 1024 * 1024),
  },
  recordLengthBytes: {
    name: 'COLLECTOR_POSTGRES_MAX_RECORD_BYTES',
    flag: '--postgres-max-record-bytes',
    description:
      'Maximum size of a record. A PostgreSQL connection that announces a longer record is closed.',
    format: BYTE_SIZE_FORMAT,
    default: '1MiB',
    example: '64KiB',
    parse: recordLength,
  },
  socketMode: {
    name: 'COLLECTOR_POSTGRES_SOCKET_MODE',
    flag: '--postgres-socket-mode',
    description: 'Permissions of the sockets for PostgreSQL.',
    format: 'octal number',
    default: '0666',
    example: '0660',
    parse: octalMode,
  },
} as const satisfies VariableTable;

const MIN_RECORD_BYTES = 4096;

function recordLength(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes !== undefined && bytes >= MIN_RECORD_BYTES && bytes <= LIMITS.recordBytes) return bytes;
  throw new InvalidValue('a size from 4KiB to 1MiB');
}

function octalMode(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  throw new InvalidValue('three octal digits such as 0660');
}

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new InvalidValue('a URL that begins with https: or http:');
}
