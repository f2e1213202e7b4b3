import { type ConfigurationOf, parseConfigurations, switchOf } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';

export const BLACKHOLE_VARIABLE = 'AGGREGATOR_BLACKHOLE_CONFIGURATION';

const shape = {};

export type BlackholeConfiguration = ConfigurationOf<typeof shape>;

/** `{"name": ...}`, a list of them, or any truthy word. */
export function parseBlackholeConfiguration(
  value: string,
): readonly ConfiguredEmitter<BlackholeConfiguration>[] {
  const text = switchOf(value);
  if (text === 'off') return [];
  return parseConfigurations({
    variable: BLACKHOLE_VARIABLE,
    type: 'blackhole',
    value: text === 'json' ? value : '{}',
    shape,
  });
}
