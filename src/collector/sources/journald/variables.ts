import type { VariableTable } from '../../../runtime/configuration/configuration.ts';
import { JOURNALD_EXAMPLE, JOURNALD_KEYS, parseJournaldConfiguration } from './configuration.ts';

const VARIABLE = 'COLLECTOR_JOURNALD_CONFIGURATION';

/** The variables of the source `journald`. */
export const JOURNALD_VARIABLES = {
  journals: {
    name: VARIABLE,
    flag: '--journald-configuration',
    description: "Journals of systemd to read with `journalctl`. `[{}]` is this machine's own journal.",
    format: 'JSON list of objects; each describes a journal, or a part of it',
    keys: JOURNALD_KEYS,
    example: JOURNALD_EXAMPLE,
    parse: (text: string) => parseJournaldConfiguration(text, VARIABLE),
  },
} as const satisfies VariableTable;
