import { type ConfigurationOf, parseSwitchedConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';

export const BLACKHOLE_VARIABLE = 'AGGREGATOR_BLACKHOLE_CONFIGURATION';

const shape = {};

export type BlackholeConfiguration = ConfigurationOf<typeof shape>;

/** Accepts `{"name": ...}`, a list of such objects, or any truthy word. */
export function parseBlackholeConfiguration(
  value: string,
): readonly ConfiguredEmitter<BlackholeConfiguration>[] {
  return parseSwitchedConfigurations({ variable: BLACKHOLE_VARIABLE, type: 'blackhole', value, shape });
}
