import { z } from 'zod';
import { type ConfigurationOf, parseSwitchedConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';

export const TEXT_FORMAT = {
  type: 'text',
  variable: 'AGGREGATOR_TEXT_CONFIGURATION',
  example: 'json',
  shape: {
    format: z.enum(['body', 'json']).default('body').meta({
      description:
        'The body of each record, one per line, or one JSON object per record. The variable also accepts the words `json`, and `1` for `body`.',
    }),
  },
} as const;

export type TextConfiguration = ConfigurationOf<typeof TEXT_FORMAT.shape>;

/** Accepts `json`, any other truthy word, or a JSON object or list. Falsy words configure nothing. */
export function parseTextConfiguration(value: string): readonly ConfiguredEmitter<TextConfiguration>[] {
  return parseSwitchedConfigurations({ ...TEXT_FORMAT, value }, wordAsJson);
}

function wordAsJson(word: string): string {
  return word.trim().toLowerCase() === 'json' ? '{"format":"json"}' : '{}';
}
