import { z } from 'zod';
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
import { OTLP_LISTEN_FORMAT, type OtlpListenAddress, parseOtlpAddress, usesTls } from './listen-address.ts';

/** One listener, with all its options. */
export interface OtlpListenerConfiguration extends RequestListenerConfiguration {
  readonly listen: OtlpListenAddress;
}

const listen = z.string().transform((text, context): OtlpListenAddress => {
  const address = parseOtlpAddress(text);
  if (address !== undefined) return address;
  const message = `expected ${OTLP_LISTEN_FORMAT.replaceAll('`', '')}, found ${JSON.stringify(text)}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const shape = {
  listen: listen.meta({
    format: OTLP_LISTEN_FORMAT,
    description: 'Where to listen. Without a host: the loopback address. Default ports: 4317 and 4318.',
  }),
  ...requestListenerShape,
};

export const OTLP_LISTENER_KEYS = schemaOptions(shape);
export const OTLP_LISTENER_EXAMPLE =
  '[{"listen": "https://0.0.0.0:4318", "certificate_file": "/etc/ssl/log.pem", "key_file": "/etc/ssl/log.key"}]';

const entry = z.strictObject(shape).transform((raw, context): OtlpListenerConfiguration => {
  const problem = certificateProblem(raw, raw.listen.transport, usesTls(raw.listen));
  if (problem !== undefined) context.addIssue({ code: 'custom', ...problem });
  return { listen: raw.listen, ...requestListener(raw) };
});

const schema: ListenerSchema<OtlpListenerConfiguration> = {
  entry,
  keys: Object.keys(shape),
  example: OTLP_LISTENER_EXAMPLE,
};

/** The listeners of COLLECTOR_OTLP: addresses with the default options. Throws a ConfigurationError. */
export function otlpListenersFromAddresses(
  text: string,
  variable: string,
): readonly OtlpListenerConfiguration[] {
  return listenersFromAddresses(text, variable, schema);
}

/** Reads COLLECTOR_OTLP_CONFIGURATION, a JSON list. Throws a ConfigurationError with every problem. */
export function parseOtlpListeners(text: string, variable: string): readonly OtlpListenerConfiguration[] {
  return parseListeners(text, variable, schema);
}
