import type { EmitterType } from '../emitter.ts';
import { BlackholeEmitter } from './blackhole-emitter.ts';
import {
  BLACKHOLE_FORMAT,
  type BlackholeConfiguration,
  parseBlackholeConfiguration,
} from './configuration.ts';

export const blackholeType: EmitterType<BlackholeConfiguration> = {
  ...BLACKHOLE_FORMAT,
  description: 'Discards all records and counts them.',
  returnsRecords: true,
  guarantee: 'at-least-once',
  parse: parseBlackholeConfiguration,
  create: (_configuration, environment) => new BlackholeEmitter(environment),
};
