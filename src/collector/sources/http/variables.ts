import { BYTE_SIZE_FORMAT } from '../../../runtime/configuration/byte-size.ts';
import type { VariableTable } from '../../../runtime/configuration/configuration.ts';
import { byteSizeOfAtLeast } from '../../../runtime/configuration/value-parsers.ts';
import { HTTP_LISTEN_FORMAT } from './listen-address.ts';
import {
  HTTP_LISTENER_EXAMPLE,
  HTTP_LISTENER_KEYS,
  httpListenersFromAddresses,
  parseHttpListeners,
} from './listener-configuration.ts';

/** The variables of the source `http`. */
export const HTTP_SOURCE_VARIABLES = {
  httpAddresses: {
    name: 'COLLECTOR_HTTP',
    flag: '--http',
    description:
      'Addresses to receive records at over HTTP, with default options: JSON lines, and the APIs of Loki, Elasticsearch and Splunk. Without a host: the loopback address.',
    format: `list of ${HTTP_LISTEN_FORMAT}, separated by blanks or commas`,
    example: 'http://127.0.0.1:8088',
    parse: (text: string) => httpListenersFromAddresses(text, 'COLLECTOR_HTTP'),
  },
  httpListeners: {
    name: 'COLLECTOR_HTTP_CONFIGURATION',
    flag: '--http-configuration',
    file: true,
    description:
      'Addresses to receive records at over HTTP, with all options, such as TLS and tokens. Adds to `COLLECTOR_HTTP`.',
    format: 'JSON list of objects; each describes a listener',
    keys: HTTP_LISTENER_KEYS,
    example: HTTP_LISTENER_EXAMPLE,
    parse: (text: string) => parseHttpListeners(text, 'COLLECTOR_HTTP_CONFIGURATION'),
  },
  httpJournalMaxBytes: {
    name: 'COLLECTOR_HTTP_JOURNAL_MAX_BYTES',
    flag: '--http-journal-max-bytes',
    description:
      'Maximum size on disk of records that were received over HTTP and wait for the aggregator. Above it, a request is answered with a later retry.',
    format: BYTE_SIZE_FORMAT,
    default: '1GiB',
    example: '10GiB',
    parse: byteSizeOfAtLeast(16 * 1024 * 1024),
  },
} as const satisfies VariableTable;
