import type { EmitterType } from '../emitter.ts';
import { parseTextConfiguration, TEXT_VARIABLE, type TextConfiguration } from './configuration.ts';
import { TextEmitter } from './text-emitter.ts';

export const textType: EmitterType<TextConfiguration> = {
  type: 'text',
  variable: TEXT_VARIABLE,
  description:
    "Prints each record's body to standard output, one per line; `json`: one JSON object per record.",
  example: 'json',
  guarantee: 'at-least-once',
  options: [
    {
      key: 'format',
      format: '`body` or `json`',
      default: 'body',
      description: 'The words `json` and `1` (or any other) stand for an object with one of them.',
    },
  ],
  parse: parseTextConfiguration,
  create: (configuration, environment) => new TextEmitter(configuration, environment),
};
