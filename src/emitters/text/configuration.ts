import { z } from 'zod';
import { type ConfigurationOf, parseSwitchedConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';

export const TEXT_VARIABLE = 'AGGREGATOR_TEXT_CONFIGURATION';

const shape = {
  /** `body`: each record's body, one per line. `json`: one JSON object per record. */
  format: z.enum(['body', 'json']).default('body'),
};

export type TextConfiguration = ConfigurationOf<typeof shape>;

/** Accepts `json`, any other truthy word, or a JSON object or list. Falsy words configure nothing. */
export function parseTextConfiguration(value: string): readonly ConfiguredEmitter<TextConfiguration>[] {
  return parseSwitchedConfigurations({ variable: TEXT_VARIABLE, type: 'text', value, shape }, wordAsJson);
}

function wordAsJson(word: string): string {
  return word.trim().toLowerCase() === 'json' ? '{"format":"json"}' : '{}';
}
