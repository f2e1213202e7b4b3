import type { SourceType } from '../source-type.ts';
import type { JournaldEntry } from './configuration.ts';
import { storedJournals } from './journal-state.ts';
import { journalOrigin } from './journalctl-arguments.ts';
import { JOURNALD_VARIABLES } from './variables.ts';

export interface JournaldConfiguration {
  readonly entries: readonly JournaldEntry[];
}

const { journals: journalsVariable } = JOURNALD_VARIABLES;

/** Journals of systemd. */
export const journaldType: SourceType<JournaldConfiguration, typeof JOURNALD_VARIABLES> = {
  name: 'journald',
  variables: JOURNALD_VARIABLES,
  enabledBy: [journalsVariable.name],
  parse: ({ journals: entries = [] }) => {
    const origins = entries.map(journalOrigin);
    const repeated = origins.find((origin, index) => origins.indexOf(origin) < index);
    return {
      configuration: entries.length === 0 ? undefined : { entries },
      problems:
        repeated === undefined ? [] : [{ variable: journalsVariable.name, message: `has ${repeated} twice` }],
    };
  },
  open: async ({ entries }, { store, resource, clock, logger, metrics, once }) => {
    const { JournaldSource } = await import('./journald-source.ts');
    return new JournaldSource({ entries, store, resource, clock, logger, metrics, once });
  },
  leftovers: async (store) => ({ streams: storedJournals(store) }),
};
