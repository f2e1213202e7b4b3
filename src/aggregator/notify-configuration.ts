import { z } from 'zod';
import { jsonValue } from '../runtime/value-parsers.ts';

/** How PagerDuty is told. */
export interface NotifyConfiguration {
  /** Secret. */
  readonly integrationKey: string;
  /** Stable for this aggregator: the base of every deduplication key. */
  readonly incidentKey: string;
  /** A name for people. */
  readonly identifier: string;
  /** Instead of https://events.pagerduty.com; without a slash at its end. */
  readonly server: string | undefined;
  /** Keys that mean nothing. */
  readonly unknownKeys: readonly string[];
}

const requiredText = z
  .string({
    error: ({ input }) => `expected a string, found ${input === undefined ? 'nothing' : typeName(input)}`,
  })
  .refine((text) => text.trim() !== '', 'expected some text, found an empty string');

const schema = z
  .looseObject(
    {
      integration_key: requiredText,
      incident_key: requiredText,
      identifier: requiredText,
      server: z
        .string({ error: ({ input }) => `expected a URL, found ${typeName(input)}` })
        .refine(isHttpUrl, 'expected a URL such as https://events.eu.pagerduty.com')
        .optional(),
    },
    { error: ({ input }) => `expected a JSON object, found ${typeName(input)}` },
  )
  .transform(
    ({ integration_key, incident_key, identifier, server, ...unknown }): NotifyConfiguration => ({
      integrationKey: integration_key,
      incidentKey: incident_key,
      identifier,
      server: server?.replace(/\/+$/, ''),
      unknownKeys: Object.keys(unknown),
    }),
  );

/** Throws InvalidValue. */
export const notifyConfiguration = jsonValue<NotifyConfiguration>(schema, 'an object');

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
