import { type ConfigurationOf, parseSwitchedConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';

export const BLACKHOLE_FORMAT = {
  type: 'blackhole',
  variable: 'AGGREGATOR_BLACKHOLE_CONFIGURATION',
  example: '{}',
  shape: {},
} as const;

export type BlackholeConfiguration = ConfigurationOf<typeof BLACKHOLE_FORMAT.shape>;

/** Accepts `{"name": ...}`, a list of such objects, or any truthy word. */
export function parseBlackholeConfiguration(
  value: string,
): readonly ConfiguredEmitter<BlackholeConfiguration>[] {
  return parseSwitchedConfigurations({ ...BLACKHOLE_FORMAT, value });
}
