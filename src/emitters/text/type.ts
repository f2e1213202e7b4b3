import type { EmitterType } from '../emitter.ts';
import { parseTextConfiguration, TEXT_FORMAT, type TextConfiguration } from './configuration.ts';
import { TextEmitter } from './text-emitter.ts';

export const textType: EmitterType<TextConfiguration> = {
  ...TEXT_FORMAT,
  description:
    'Prints the body of each record to standard output, one per line; with `json`, one JSON object per record.',
  guarantee: 'at-least-once',
  parse: parseTextConfiguration,
  outputs: () => [{ kind: 'stdout' }],
  create: (configuration, environment) => new TextEmitter(configuration, environment),
};
