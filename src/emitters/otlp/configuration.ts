import { z } from 'zod';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { clientTlsProblems, clientTlsShape } from '../client-tls.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';
import { byteSizeOption, durationOption } from '../option-schemas.ts';

const KIB = 1024;
const MAX_BATCH_RECORDS = 100_000;
const PATH = '/v1/logs';
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Where requests are sent. Plain data. */
export interface OtlpEndpoint {
  readonly hasTls: boolean;
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

const endpoint = z.string().transform((text, context): OtlpEndpoint => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url !== undefined && isHttp && url.username === '' && url.password === '') return endpointOf(url);
  const message = isHttp
    ? 'must not contain a user or a password; use "headers"'
    : 'expected a URL that begins with https: or http:';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

function endpointOf(url: URL): OtlpEndpoint {
  const hasTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // `new URL` removes the default port of the scheme.
  const port = url.port === '' ? (hasTls ? 443 : 80) : Number(url.port);
  return { hasTls, host, port, path: url.pathname === '/' ? PATH : `${url.pathname}${url.search}` };
}

/** docs/otlp.md has details and examples. */
export const otlpShape = {
  endpoint: endpoint.meta({
    format: '`http://host:port` or `https://host:port`, for HTTP optionally with a path',
    description: `Address of the receiver. The default path is \`${PATH}\`.`,
  }),
  protocol: z
    .enum(['http/protobuf', 'http/json', 'grpc'])
    .default('http/protobuf')
    .meta({ description: 'Transport and encoding of requests.' }),
  compression: z.enum(['gzip', 'none']).default('gzip').meta({ description: 'Compression of requests.' }),
  headers: z
    .record(
      z.string().regex(HEADER_NAME, 'expected the name of a header'),
      z.string().regex(/^[\x20-\x7e]*$/, 'expected printable ASCII characters'),
    )
    .default({})
    .meta({
      format: 'object of texts',
      description: 'Headers of each request, such as `{"Authorization": "Bearer ..."}`. Secret.',
    }),
  batch_records: z
    .int()
    .min(1)
    .max(MAX_BATCH_RECORDS)
    .default(8192)
    .meta({
      format: `1 to ${MAX_BATCH_RECORDS}`,
      description: 'Maximum number of log records of a request.',
    }),
  batch_bytes: byteSizeOption(64 * KIB, 64 * KIB * KIB, '2MiB')
    .prefault('2MiB')
    .meta({
      format: 'number of bytes, or a text such as `"2MiB"`',
      description:
        'Maximum size of the log records of a request, before compression. A larger log record is sent alone. Many receivers accept 4 MiB over gRPC.',
    }),
  ...clientTlsShape,
  timeout: durationOption
    .prefault('10s')
    .meta({ format: 'duration', description: 'Timeout of a request, including its response.' }),
};

export const OTLP_FORMAT = {
  type: 'otlp',
  variable: 'AGGREGATOR_OTLP_CONFIGURATION',
  example: '{"endpoint": "https://otel.example:4318"}',
  shape: otlpShape,
} as const;

export type OtlpConfiguration = ConfigurationOf<typeof otlpShape>;

export function parseOtlpConfiguration(value: string): readonly ConfiguredEmitter<OtlpConfiguration>[] {
  const configured = parseConfigurations({ ...OTLP_FORMAT, value });
  const isList = value.trimStart().startsWith('[');
  const problems = configured.flatMap(({ configuration }, index): readonly ConfigurationProblem[] => {
    const place = isList ? `${OTLP_FORMAT.variable}[${index}]` : OTLP_FORMAT.variable;
    const { endpoint: target, protocol } = configuration;
    const hasIdlePath = protocol === 'grpc' && target.path !== PATH;
    const message = 'must have no path with "protocol": "grpc"';
    return [
      ...(hasIdlePath ? [{ variable: `${place}.endpoint`, message }] : []),
      ...clientTlsProblems(configuration, { place, hasTls: target.hasTls, kind: 'https' }),
    ];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}
