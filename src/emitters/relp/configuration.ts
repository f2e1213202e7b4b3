import { z } from 'zod';
import { DEFAULT_WINDOW } from '../../protocols/relp/client-session.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { DEFAULT_RELP_PORT, parseRelpAddress, RELP_ADDRESS_FORMAT } from '../../transport/relp-address.ts';
import { clientTlsProblems, clientTlsShape } from '../client-tls.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';
import { durationOption } from '../option-schemas.ts';
import { messageProblems, syslogMessageShape } from '../syslog-message-options.ts';

const MAX_WINDOW = 10_000;

const address = z.string().transform((text, context) => {
  const parsed = parseRelpAddress(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'expected relp://host:port, or relp+tls://host:port for TLS' });
  return z.NEVER;
});

/** docs/syslog-output.md has details and examples. */
export const relpShape = {
  address: address.meta({
    format: RELP_ADDRESS_FORMAT,
    description: `Address of the server; \`relp+tls\` is RELP over TLS, and \`relps\` the same. Default port: ${DEFAULT_RELP_PORT}.`,
  }),
  ...syslogMessageShape,
  window: z
    .int()
    .min(1)
    .max(MAX_WINDOW)
    .default(DEFAULT_WINDOW)
    .meta({
      format: `1 to ${MAX_WINDOW}`,
      description: 'Maximum number of messages that are sent before their answers.',
    }),
  ...clientTlsShape,
  timeout: durationOption.prefault('10s').meta({
    format: 'duration',
    description: 'Timeout of connecting, including the TLS handshake, and of opening the session.',
  }),
  answer_timeout: durationOption.prefault('90s').meta({
    format: 'duration',
    description:
      'Maximum wait for an answer. After it, the connection is closed and unanswered messages are sent again.',
  }),
};

export const RELP_FORMAT = {
  type: 'relp',
  variable: 'AGGREGATOR_RELP_CONFIGURATION',
  example: '{"address": "relp://loghost.example:2514"}',
  shape: relpShape,
} as const;

export type RelpConfiguration = ConfigurationOf<typeof relpShape>;

export function parseRelpConfiguration(value: string): readonly ConfiguredEmitter<RelpConfiguration>[] {
  const configured = parseConfigurations({ ...RELP_FORMAT, value });
  const isList = value.trimStart().startsWith('[');
  const problems = configured.flatMap(({ configuration }, index): readonly ConfigurationProblem[] => {
    const place = isList ? `${RELP_FORMAT.variable}[${index}]` : RELP_FORMAT.variable;
    const { hasTls } = configuration.address;
    return [
      ...messageProblems(configuration, place),
      ...clientTlsProblems(configuration, { place, hasTls, kind: 'relp+tls' }),
    ];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}
