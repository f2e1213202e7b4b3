import { BYTE_SIZE_FORMAT } from '../../../runtime/configuration/byte-size.ts';
import type { VariableTable } from '../../../runtime/configuration/configuration.ts';
import { byteSizeOfAtLeast } from '../../../runtime/configuration/value-parsers.ts';
import { OTLP_LISTEN_FORMAT } from './listen-address.ts';
import {
  OTLP_LISTENER_EXAMPLE,
  OTLP_LISTENER_KEYS,
  otlpListenersFromAddresses,
  parseOtlpListeners,
} from './listener-configuration.ts';

/** The variables of the source `otlp`. */
export const OTLP_SOURCE_VARIABLES = {
  otlpAddresses: {
    name: 'COLLECTOR_OTLP',
    flag: '--otlp',
    description:
      'Addresses to receive logs of OpenTelemetry at, with default options. Without a host: the loopback address.',
    format: `list of ${OTLP_LISTEN_FORMAT}, separated by blanks or commas`,
    example: 'grpc://:4317 http://:4318',
    parse: (text: string) => otlpListenersFromAddresses(text, 'COLLECTOR_OTLP'),
  },
  otlpListeners: {
    name: 'COLLECTOR_OTLP_CONFIGURATION',
    flag: '--otlp-configuration',
    file: true,
    description: 'Addresses to receive logs of OpenTelemetry at, with all options. Adds to `COLLECTOR_OTLP`.',
    format: 'JSON list of objects; each describes a listener',
    keys: OTLP_LISTENER_KEYS,
    example: OTLP_LISTENER_EXAMPLE,
    parse: (text: string) => parseOtlpListeners(text, 'COLLECTOR_OTLP_CONFIGURATION'),
  },
  otlpJournalMaxBytes: {
    name: 'COLLECTOR_OTLP_JOURNAL_MAX_BYTES',
    flag: '--otlp-journal-max-bytes',
    description:
      'Maximum size on disk of log records that wait for the aggregator. Above it, a request is answered with a later retry.',
    format: BYTE_SIZE_FORMAT,
    default: '1GiB',
    example: '10GiB',
    parse: byteSizeOfAtLeast(16 * 1024 * 1024),
  },
} as const satisfies VariableTable;
