import { innerFormatName } from '../../../formats/described/format-description.ts';
import { FORMAT_OPTIONS } from '../../../formats/marker-attributes.ts';
import { formats } from '../../../formats/registry.ts';
import type { ConfigurationProblem } from '../../../runtime/configuration/configuration-error.ts';
import { nearestName } from '../../../runtime/configuration/unknown-variables.ts';
import { AUTOMATIC_FORMAT, type TailEntry } from './files/tail-configuration.ts';

/** Reports formats of entries that do not exist, with the nearest name. `variable`: where they are configured. */
export function unknownFormats(
  entries: readonly FormattedEntry[],
  variable = 'COLLECTOR_TAIL_CONFIGURATION',
): readonly ConfigurationProblem[] {
  const known = [AUTOMATIC_FORMAT, ...formats.map(({ name }) => name)];
  const named = entries.flatMap((entry) => [entry.format, innerFormatOf(entry) ?? []].flat());
  const unknown = new Set(named.filter((format) => !known.includes(format)));
  return [...unknown].map((format) => {
    const nearest = OTHER_NAMES.get(format.toLowerCase()) ?? nearestName(format, known);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    return {
      variable,
      message: `expected a format (${known.join(', ')}), found "${format}"${hint}`,
    };
  });
}

type FormattedEntry = Pick<TailEntry, 'format'> & Partial<Pick<TailEntry, 'resource'>>;

function innerFormatOf({ format, resource }: FormattedEntry): string | undefined {
  return innerFormatName({ name: format, options: resource?.get(FORMAT_OPTIONS) });
}

/** Names of existing formats in other programs. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['nginx', 'combined'],
  ['apache', 'combined'],
  ['rfc3164', 'syslog'],
  ['rfc5424', 'syslog'],
  ['csvlog', 'postgres-csvlog'],
  ['jsonlog', 'postgres-jsonlog'],
  ['docker', 'docker-json'],
  ['json-file', 'docker-json'],
  ['containerd', 'cri'],
  ['kubernetes', 'cri'],
]);
