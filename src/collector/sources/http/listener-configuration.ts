import { z } from 'zod';
import { parseFormatDescription } from '../../../formats/described/format-description.ts';
import { schemaOptions } from '../../../runtime/configuration/schema-options.ts';
import {
  certificateProblem,
  type ListenerSchema,
  listenersFromAddresses,
  parseListeners,
  type RequestListenerConfiguration,
  requestListener,
  requestListenerShape,
} from '../requests/listener-shape.ts';
import { HTTP_LISTEN_FORMAT, type HttpListenAddress, parseHttpAddress } from './listen-address.ts';

/** One listener, with all its options. */
export interface HttpListenerConfiguration extends RequestListenerConfiguration {
  readonly listen: HttpListenAddress;
  /** A file with the tokens of the clients; undefined: every client may send. */
  readonly tokenFile: string | undefined;
  /** The format of lines, as the operator describes it. */
  readonly format: string | undefined;
  readonly elasticsearchVersion: string;
}

const listen = z.string().transform((text, context): HttpListenAddress => {
  const address = parseHttpAddress(text);
  if (address !== undefined) return address;
  const message = `expected ${HTTP_LISTEN_FORMAT.replaceAll('`', '')}, found ${JSON.stringify(text)}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const format = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const problem = parseFormatDescription(text);
    if (typeof problem === 'string') context.addIssue({ code: 'custom', message: problem });
  });

const shape = {
  listen: listen.meta({
    format: HTTP_LISTEN_FORMAT,
    description: 'Where to listen. Without a host: the loopback address. Default port: 8088.',
  }),
  token_file: z.string().min(1).optional().meta({
    format: 'path',
    description:
      'File with a token on each line. With it, each request must have one of them. Reloaded when it changes.',
  }),
  format: format.optional().meta({
    format: 'format',
    description:
      'Format of the lines: a name, `json?time=ts&level=lvl`, or `access:` and a log format. Without it, a line that is a JSON object is read, and other lines are text.',
  }),
  elasticsearch_version: z
    .string()
    .regex(/^\d{1,3}\.\d{1,3}\.\d{1,3}$/, 'expected a version such as 8.17.0')
    .default('8.17.0')
    .meta({
      format: 'version',
      description: 'Version that clients of Elasticsearch receive; some require at least their own.',
    }),
  ...requestListenerShape,
};

export const HTTP_LISTENER_KEYS = schemaOptions(shape);
export const HTTP_LISTENER_EXAMPLE =
  '[{"listen": "https://0.0.0.0:8088", "certificate_file": "/etc/ssl/log.pem", "key_file": "/etc/ssl/log.key", "token_file": "/etc/mega-collector/tokens"}]';

const entry = z.strictObject(shape).transform((raw, context): HttpListenerConfiguration => {
  const { transport } = raw.listen;
  const problem = certificateProblem(raw, transport, transport === 'https');
  if (problem !== undefined) context.addIssue({ code: 'custom', ...problem });
  return {
    listen: raw.listen,
    tokenFile: raw.token_file,
    format: raw.format,
    elasticsearchVersion: raw.elasticsearch_version,
    ...requestListener(raw),
  };
});

const schema: ListenerSchema<HttpListenerConfiguration> = {
  entry,
  keys: Object.keys(shape),
  example: HTTP_LISTENER_EXAMPLE,
};

/** The listeners of COLLECTOR_HTTP: addresses with the default options. Throws a ConfigurationError. */
export function httpListenersFromAddresses(
  text: string,
  variable: string,
): readonly HttpListenerConfiguration[] {
  return listenersFromAddresses(text, variable, schema);
}

/** Reads COLLECTOR_HTTP_CONFIGURATION, a JSON list. Throws a ConfigurationError with every problem. */
export function parseHttpListeners(text: string, variable: string): readonly HttpListenerConfiguration[] {
  return parseListeners(text, variable, schema);
}
