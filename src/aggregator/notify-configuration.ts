import { z } from 'zod';
import { schemaOptions } from '../runtime/configuration/schema-options.ts';
import { jsonValue } from '../runtime/configuration/value-parsers.ts';

/** Settings of the PagerDuty notifications. */
export interface NotifyConfiguration {
  /** Secret. */
  readonly integrationKey: string;
  /** Stable for this aggregator: the prefix of each deduplication key. */
  readonly incidentKey: string;
  /** A name for people. */
  readonly identifier: string;
  /** `host` or `host:port`, instead of events.pagerduty.com; always over TLS. */
  readonly server: string | undefined;
  /** PEM; trusted besides the usual authorities. */
  readonly ca: string | undefined;
  /** Unknown keys. */
  readonly unknownKeys: readonly string[];
}

const requiredText = z
  .string({
    error: ({ input }) => `expected a string, found ${input === undefined ? 'nothing' : typeName(input)}`,
  })
  .refine((text) => text.trim() !== '', 'expected some text, found an empty string');

const shape = {
  integration_key: requiredText.meta({
    format: 'text',
    description: 'Integration key of PagerDuty. Secret.',
  }),
  incident_key: requiredText.meta({
    format: 'text',
    description: 'Stable key of this aggregator: the prefix of the deduplication key of each incident.',
  }),
  identifier: requiredText.meta({ format: 'text', description: 'Name of this aggregator for people.' }),
  server: z
    .string({ error: ({ input }) => `expected a host, found ${typeName(input)}` })
    .refine(isHost, 'expected a host such as events.eu.pagerduty.com, found something else')
    .optional()
    .meta({ format: '`host` or `host:port`', description: 'Server instead of `events.pagerduty.com`.' }),
  ca: z
    .string({ error: ({ input }) => `expected PEM text, found ${typeName(input)}` })
    .refine(
      (text) => text.includes('-----BEGIN CERTIFICATE-----'),
      'expected a PEM certificate, found other text',
    )
    .optional()
    .meta({ format: 'PEM text', description: 'Certificate authority that is trusted in addition.' }),
};

export const NOTIFY_KEYS = schemaOptions(shape);

const schema = z
  .looseObject(shape, { error: ({ input }) => `expected a JSON object, found ${typeName(input)}` })
  .transform(
    ({ integration_key, incident_key, identifier, server, ca, ...unknown }): NotifyConfiguration => ({
      integrationKey: integration_key,
      incidentKey: incident_key,
      identifier,
      server: server === undefined ? undefined : urlOf(server).host,
      ca,
      unknownKeys: Object.keys(unknown),
    }),
  );

/** What documentation and error messages show. */
export const NOTIFY_EXAMPLE =
  '{"integration_key": "0123456789abcdef0123456789abcdef", "incident_key": "main/log_drain/7/notify", ' +
  '"identifier": "Log Drain #7"}';

/** Throws InvalidValue. */
export const notifyConfiguration = jsonValue<NotifyConfiguration>(schema, {
  expected: 'an object',
  example: NOTIFY_EXAMPLE,
});

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

/** With or without the scheme; PagerDuty's client supports only https, and no path. */
function isHost(text: string): boolean {
  if (!URL.canParse(urlText(text))) return false;
  const { protocol, host, pathname, username, search } = urlOf(text);
  return protocol === 'https:' && host !== '' && pathname === '/' && username === '' && search === '';
}

function urlOf(text: string): URL {
  return new URL(urlText(text));
}

function urlText(text: string): string {
  return text.includes('://') ? text : `https://${text}`;
}
