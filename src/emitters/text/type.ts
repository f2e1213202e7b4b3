import type { EmitterType } from '../emitter.ts';
import { parseTextConfiguration, TEXT_VARIABLE, type TextConfiguration } from './configuration.ts';
import { TextEmitter } from './text-emitter.ts';

export const textType: EmitterType<TextConfiguration> = {
  type: 'text',
  variable: TEXT_VARIABLE,
  description:
    'Prints the body of each record to standard output, one per line; with `json`, one JSON object per record.',
  example: 'json',
  guarantee: 'at-least-once',
  options: [
    {
      key: 'format',
      format: '`body` or `json`',
      default: 'body',
      description: 'Output format. The variable also accepts the words `json`, and `1` for `body`.',
    },
  ],
  parse: parseTextConfiguration,
  outputs: () => [{ kind: 'stdout' }],
  create: (configuration, environment) => new TextEmitter(configuration, environment),
};
