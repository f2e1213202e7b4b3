import type { EmitterType } from '../emitter.ts';
import { BlackholeEmitter } from './blackhole-emitter.ts';
import {
  BLACKHOLE_VARIABLE,
  type BlackholeConfiguration,
  parseBlackholeConfiguration,
} from './configuration.ts';

export const blackholeType: EmitterType<BlackholeConfiguration> = {
  type: 'blackhole',
  variable: BLACKHOLE_VARIABLE,
  description: 'Discards all records and counts them.',
  example: '{}',
  guarantee: 'at-least-once',
  parse: parseBlackholeConfiguration,
  create: (_configuration, environment) => new BlackholeEmitter(environment),
};
