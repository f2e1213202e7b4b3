import { formats } from '../../../formats/registry.ts';
import type { ConfigurationProblem } from '../../../runtime/configuration/configuration-error.ts';
import { nearestName } from '../../../runtime/configuration/unknown-variables.ts';
import { AUTOMATIC_FORMAT, type TailEntry } from './files/tail-configuration.ts';

/** Reports formats of entries that do not exist, with the nearest name. `variable`: where they are configured. */
export function unknownFormats(
  entries: readonly Pick<TailEntry, 'format'>[],
  variable = 'COLLECTOR_TAIL_CONFIGURATION',
): readonly ConfigurationProblem[] {
  const known = [AUTOMATIC_FORMAT, ...formats.map(({ name }) => name)];
  const unknown = new Set(entries.map(({ format }) => format).filter((format) => !known.includes(format)));
  return [...unknown].map((format) => {
    const nearest = OTHER_NAMES.get(format.toLowerCase()) ?? nearestName(format, known);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    return {
      variable,
      message: `expected a format (${known.join(', ')}), found "${format}"${hint}`,
    };
  });
}

/** Names of existing formats in other programs. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['nginx', 'combined'],
  ['apache', 'combined'],
  ['rfc3164', 'syslog'],
  ['rfc5424', 'syslog'],
  ['csvlog', 'postgres-csvlog'],
  ['jsonlog', 'postgres-jsonlog'],
]);
